-- Newer events name a discount by its id alone; the discount itself arrives in an event of its own, its coupon
-- on it (old) or below `source` (new).
with events as (
    select * from {{ ref('stg_stripe__events') }}
    where event_type like 'customer.discount.%'
),

final as (
    select
        account,
        event_id,
        product,
        load_id,
        {{ json_text('payload', ['data', 'object', 'id']) }} as discount_source_id,
        {{ json_text('payload', ['data', 'object', 'customer']) }} as customer_source_id,
        {{ json_text('payload', ['data', 'object', 'subscription']) }} as subscription_source_id,
        event_type,
        {{ json_value('payload', ['data', 'object']) }} as discount,
        is_live,
        created_at,
        received_at
    from events
)

select * from final
