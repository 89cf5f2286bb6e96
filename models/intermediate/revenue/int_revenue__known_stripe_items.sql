-- The items of a version are its own, and a price is what it was when it was made: what was learnt of it later was so
-- before.
with final as (

    {{ as_known(ref('int_revenue__known_records'), 'stripe', 'account', ref('int_revenue__stripe_items'), [
        'event_id',
        'item_position',
        'price_source_id',
        'plan',
        'billing_interval',
        'interval_count',
        'is_metered',
        'discounts',
    ]) }}

)

select * from final
