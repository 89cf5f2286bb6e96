{%- set periods = ref('int_revenue__subscription_periods') %}
{%- set cash = ref('int_revenue__cash_movements') %}
{%- set rates = ref('int_revenue__fx_daily') %}

{%- set unrated %}
    with amounts as (
        select
            currency,
            min(valid_from) as first_at
        from {{ periods }}
        where mrr_source_cents <> 0
        group by currency
        union all
        select
            currency,
            min(occurred_at) as first_at
        from {{ cash }}
        where amount_source_cents <> 0
        group by currency
    )

    select
        coalesce(amounts.currency, 'of no name') as currency,
        cast({{ local_date('min(amounts.first_at)', "'UTC'") }} as {{ type_string() }}) as first_date,
        cast(min(rates.first_date) as {{ type_string() }}) as first_rate_date
    from amounts
    left join (
        select
            currency,
            min(rate_date) as first_date
        from {{ rates }}
        group by currency
    ) as rates on amounts.currency = rates.currency
    where
        coalesce(amounts.currency, '') <> '{{ var("reporting_currency") }}'
        and (
            rates.first_date is null
            or {{ local_date('amounts.first_at', "'UTC'") }} <= rates.first_date
        )
    group by amounts.currency
{%- endset %}

{%- if execute and flags.WHICH in ('build', 'test') %}
    {%- set sentences = [] %}
    {%- for row in run_query(unrated) %}
        {%- if row['first_rate_date'] is none %}
            {%- do sentences.append("the currency " ~ row['currency'] ~ " (in use since " ~ row['first_date']
                ~ ") has no exchange rate") %}
        {%- else %}
            {%- do sentences.append("the currency " ~ row['currency'] ~ " is in use since " ~ row['first_date']
                ~ ", its rates begin on " ~ row['first_rate_date']) %}
        {%- endif %}
    {%- endfor %}
    {%- if sentences %}
        {{ exceptions.raise_compiler_error(
            "Revenue cannot be converted: " ~ sentences | join("; ")
            ~ ". Add rows to seeds/revenue/fx_rates.csv (rate_date, currency, eur_rate) and build again."
        ) }}
    {%- endif %}
{%- endif %}

{{ unrated }}
