-- What an item costs does not depend on when it was learnt (int_revenue__known_stripe_items).
with final as (

    {{ as_known(ref('int_revenue__known_records'), 'stripe', 'account', ref('int_revenue__stripe_item_amounts'), [
        'event_id',
        'item_position',
        'plan',
        'currency',
        'billing_interval',
        'interval_count',
        'quantity',
        'is_metered',
        'inclusive_tax_percent',
        'amount_source_cents',
        'product_source_id',
    ]) }}

)

select * from final
