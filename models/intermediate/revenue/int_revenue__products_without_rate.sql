{{ config(
    materialized='incremental',
    meta={'affected': {
        'key': ['product', 'currency'],
        'notes': {'entity_key': 'product'},
        'within': 'product',
        'whole': true,
        'unnoted': ['first_date', 'last_date', 'first_rate_date', 'last_rate_date'],
    }},
) }}

-- Products whose recurring revenue cannot be told in the reporting currency, since a currency of it has no exchange
-- rate on some day between its first use and its last. They have no MRR until it has; all other products do.
with periods as (

    select * from {{ ref('int_revenue__subscription_periods') }}
    where mrr_source_cents > 0

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

used as (

    select
        product,
        currency,
        {{ local_date('min(valid_from)', "'UTC'") }} as first_date,
        {{ local_date('max(coalesce(valid_to, ' ~ as_of() ~ '))', "'UTC'") }} as last_date
    from periods
    where coalesce(currency, '') <> '{{ var("reporting_currency") }}'
    group by product, currency

),

rated as (

    select
        used.product,
        used.currency,
        used.first_date,
        used.last_date,
        min(rates.rate_date) as first_rate_date,
        max(rates.rate_date) as last_rate_date,
        count(
            case when rates.rate_date between used.first_date and used.last_date then 1 end
        ) as rated_days
    from used
    left join rates on used.currency = rates.currency
    group by used.product, used.currency, used.first_date, used.last_date

),

final as (

    select
        product,
        coalesce(currency, 'of no name') as currency,
        first_date,
        last_date,
        first_rate_date,
        last_rate_date
    from rated
    where rated_days <= {{ days_between('first_date', 'last_date') }}

)

select * from final
