{{ config(
    materialized='incremental',
    meta={'affected': {
        'key': ['price_key'],
        'notes': {'entity_key': 'price_key'},
        'within': 'account',
        'whole': true,
    }},
) }}

-- What subscriptions show of a price: invoices, the newest ones, name it by its id alone.
with items as (

    select * from {{ ref('int_revenue__stripe_items') }}
    where price_source_id is not null

),

final as (

    select
        {{ stripe_key('account', 'price_source_id') }} as price_key,
        max(plan) as plan,
        max(billing_interval) as billing_interval,
        max(interval_count) as interval_count,
        max(case when is_metered then 1 else 0 end) = 1 as is_metered
    from items
    group by account, price_source_id

)

select * from final
