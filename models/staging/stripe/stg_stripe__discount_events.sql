{%- set object = ['data', 'object'] -%}

-- Newer events name a discount by its id alone; the discount itself arrives in an event of its own, its
-- coupon on it (old) or below `source` (new).
with events as (

    select * from {{ source('stripe', 'events') }}
    where event_type like 'customer.discount.%'

),

final as (

    select
        account,
        event_id,
        {{ billing_entity('stripe', 'account', 'customer_id') }} as entity_key,
        product,
        load_id,
        {{ json_text('payload', object + ['id']) }} as discount_source_id,
        customer_id as customer_source_id,
        {{ json_text('payload', object + ['subscription']) }} as subscription_source_id,
        event_type,
        {{ json_value('payload', object) }} as discount,
        livemode as is_live,
        -- one that stands on nothing else stands on the customer
        coalesce(
            {{ json_text('payload', object + ['subscription']) }},
            {{ json_text('payload', object + ['subscription_item']) }},
            {{ json_text('payload', object + ['invoice']) }},
            {{ json_text('payload', object + ['invoice_item']) }},
            {{ json_text('payload', object + ['checkout_session']) }}
        ) is null as is_of_customer,
        created_at,
        received_at
    from events

)

select * from final
