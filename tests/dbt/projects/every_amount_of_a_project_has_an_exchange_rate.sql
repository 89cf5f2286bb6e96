{%- set unrated %}
    select
        currency,
        min(date_key) as first_date,
        count(*) as amount_count
    from {{ ref('int_projects__amounts') }}
    where amount_cents is null
    group by currency
{%- endset %}

{%- if execute and flags.WHICH in ('build', 'test') %}
    {%- set sentences = [] %}
    {%- for row in run_query(unrated) %}
        {%- do sentences.append(
            row['amount_count'] ~ " amounts in " ~ row['currency'] ~ ", the first of " ~ row['first_date']
        ) %}
    {%- endfor %}
    {%- if sentences %}
        {{ exceptions.raise_compiler_error(
            "Projects have amounts that cannot be converted: " ~ sentences | join("; ")
            ~ ". " ~ how_to_add_rates()
        ) }}
    {%- endif %}
{%- endif %}

{{ unrated }}
