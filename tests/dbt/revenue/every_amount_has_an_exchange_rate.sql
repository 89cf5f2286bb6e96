{#- Beside what lacks a rate it reads the last of revenue's marts, so that all of them are built before it fails. -#}
-- depends_on: {{ ref('metrics_mrr_policy_bridge') }}
{%- if execute and flags.WHICH in ('build', 'test') %}
    {%- set sentences = [] %}
    {%- set unrated = ref('int_revenue__products_without_rate') %}
    {%- for row in run_query("select * from " ~ unrated ~ " order by product, currency") %}
        {%- set what = "the currency " ~ row['currency'] ~ " (in use since " ~ row['first_date'] ~ ")" %}
        {%- if row['first_rate_date'] is none %}
            {%- do sentences.append("MRR of " ~ row['product'] ~ " is left out: " ~ what ~ " has no exchange rate") %}
        {%- else %}
            {%- do sentences.append("MRR of " ~ row['product'] ~ " is left out: " ~ what ~ " has exchange rates from "
                ~ row['first_rate_date'] ~ " to " ~ row['last_rate_date'] ~ " only") %}
        {%- endif %}
    {%- endfor %}
    {%- if sentences %}
        {{ exceptions.raise_compiler_error(
            sentences | join("; ")
            ~ ". " ~ how_to_add_rates()
        ) }}
    {%- endif %}
{%- endif %}

select * from {{ ref('int_revenue__products_without_rate') }}
