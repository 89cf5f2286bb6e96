{{ config(severity='warn') }}

with amounts as (

    select
        product,
        currency,
        attempted_at as counted_at
    from {{ ref('fact_payments') }}
    where status = 'succeeded'

    union all

    select
        product,
        currency,
        refunded_at as counted_at
    from {{ ref('fact_refunds') }}

    union all

    select
        product,
        currency,
        issued_at as counted_at
    from {{ ref('fact_invoices') }}
    where status not in ('draft', 'void')

)

select
    amounts.product,
    coalesce(amounts.currency, 'of no name') as currency,
    count(*) as amounts_without_rate,
    min(amounts.counted_at) as first_counted_at
from amounts
left join {{ ref('int_revenue__fx_daily') }} as rates
    on amounts.currency = rates.currency and {{ local_date('amounts.counted_at', "'UTC'") }} = rates.rate_date
where
    coalesce(amounts.currency, '') <> '{{ var("reporting_currency") }}'
    and rates.rate is null
    and amounts.counted_at <= {{ as_of() }}
group by amounts.product, coalesce(amounts.currency, 'of no name')
