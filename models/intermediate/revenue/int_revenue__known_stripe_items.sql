-- The items of a version are its own, and a price is what it was when it was made: what was learnt of it later was so
-- before.
with items as (

    select
        *,
        'stripe|' || account || '|' || event_id as event_key
    from {{ ref('int_revenue__stripe_items') }}

),

records as (

    select * from {{ ref('int_revenue__known_records') }}
    where provider = 'stripe'

),

final as (

    select
        records.known_account as account,
        items.event_id,
        items.item_position,
        items.price_source_id,
        items.plan,
        items.billing_interval,
        items.interval_count,
        items.is_metered,
        items.discounts
    from records
    inner join items on records.event_key = items.event_key

)

select * from final
