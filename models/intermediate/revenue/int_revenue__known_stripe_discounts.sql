-- What a discount takes off does not depend on when it was learnt: a coupon was so when it was made.
with final as (

    {{ as_known(ref('int_revenue__known_records'), 'stripe', 'account', ref('int_revenue__stripe_discounts'), [
        'event_id',
        'item_position',
        'discount_position',
        'discount_source_id',
        'coupon_source_id',
        'duration',
        'duration_months',
        'percent_off',
        'off_source_cents',
        'is_read',
        'starts_at',
        'ends_at',
        'applies_to',
    ]) }}

)

select * from final
