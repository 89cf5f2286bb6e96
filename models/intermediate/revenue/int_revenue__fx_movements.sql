{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'customer_id']}],
    meta={'affected': {'key': ['tenant_id', 'customer_id'], 'whole': true}},
) }}

-- What the exchange rate alone did to a customer's recurring revenue: one row per customer and stretch
-- between two changes, cut at month ends and at as_of, dated by the day whose rate it was brought to.
-- Daily sums of it are in int_revenue__daily_mrr; a row per customer and day would only repeat the rate.
with balances as (

    select * from {{ ref('int_revenue__customer_balances') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

foreign_customers as (

    select distinct
        policy,
        provider,
        product,
        tenant_id,
        customer_id
    from balances
    where currency <> '{{ var("reporting_currency") }}'

),

stretches as (

    select
        balances.*,
        coalesce(balances.next_date_key, {{ as_of_date('balances.timezone') }}) as end_date_key
    from balances
    inner join foreign_customers
        on
            balances.policy = foreign_customers.policy
            and balances.provider = foreign_customers.provider
            and balances.product = foreign_customers.product
            and balances.tenant_id = foreign_customers.tenant_id
            and balances.customer_id = foreign_customers.customer_id
    where balances.after_source_cents > 0

),

months as (

    select distinct {{ month_start('rate_date') }} as month_start_date
    from rates

),

pieces as (

    select
        stretches.*,
        greatest(stretches.date_key, {{ add_days('months.month_start_date', -1) }}) as from_date,
        least(
            stretches.end_date_key, {{ add_days(add_months('months.month_start_date', 1), -1) }}
        ) as to_date
    from stretches
    inner join months
        on
            stretches.end_date_key >= months.month_start_date
            and {{ month_start('stretches.date_key') }} <= months.month_start_date

),

valued as (

    select
        pieces.policy,
        pieces.provider,
        pieces.product,
        pieces.tenant_id,
        pieces.customer_id,
        pieces.timezone,
        pieces.from_date,
        pieces.to_date,
        sum(
            pieces.after_source_cents * {{ fx_rate('pieces.currency', 'from_rates.rate') }}
        ) as mrr_before_cents,
        sum(
            pieces.after_source_cents * {{ fx_rate('pieces.currency', 'to_rates.rate') }}
        ) as mrr_after_cents
    from pieces
    left join rates as from_rates
        on pieces.currency = from_rates.currency and pieces.from_date = from_rates.rate_date
    left join rates as to_rates
        on pieces.currency = to_rates.currency and pieces.to_date = to_rates.rate_date
    where pieces.to_date > pieces.from_date
    group by
        pieces.policy,
        pieces.provider,
        pieces.product,
        pieces.tenant_id,
        pieces.customer_id,
        pieces.timezone,
        pieces.from_date,
        pieces.to_date

),

final as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        'fx' as movement_type,
        mrr_after_cents - mrr_before_cents as mrr_change_cents,
        mrr_before_cents,
        mrr_after_cents,
        {{ day_start('to_date', 'timezone') }} as occurred_at,
        to_date as date_key
    from valued
    where mrr_after_cents <> mrr_before_cents

)

select * from final
