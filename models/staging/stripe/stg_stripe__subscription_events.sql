{%- set object = ['data', 'object'] -%}

-- Both shapes of the API: the billing period stands on the subscription (old) or on its items (2025-03-31
-- and later).
with events as (

    select * from {{ source('stripe', 'events') }}
    where event_type like 'customer.subscription.%' and object_type = 'subscription'

),

final as (

    select
        account,
        event_id,
        {{ billing_entity('stripe', 'account', 'customer_id') }} as entity_key,
        product,
        load_id,
        object_id as subscription_source_id,
        customer_id as customer_source_id,
        {{ json_text('payload', object + ['metadata', 'tenant_id']) }} as tenant_source_id,
        {{ json_text('payload', object + ['metadata', 'user_id']) }} as user_source_id,
        event_type,
        {{ json_text('payload', object + ['status']) }} as status,
        lower({{ json_text('payload', object + ['currency']) }}) as currency,
        {{ json_value('payload', object + ['items', 'data']) }} as items,
        {{ json_value('payload', object + ['plan']) }} as legacy_plan,
        {{ json_integer('payload', object + ['quantity']) }} as legacy_quantity,
        {{ json_value('payload', object + ['discount']) }} as discount,
        {{ json_value('payload', object + ['discounts']) }} as discounts,
        {{ json_value('payload', object + ['default_tax_rates']) }} as default_tax_rates,
        {{ json_value('payload', object) }} as subscription,
        {{ json_value('payload', ['data', 'previous_attributes']) }} as previous_attributes,
        livemode as is_live,
        coalesce(
            {{ json_boolean('payload', object + ['cancel_at_period_end']) }}, false
        ) as is_cancelled_at_period_end,
        {{ json_text('payload', object + ['pause_collection', 'behavior']) }} is not null as is_paused,
        -- the one discount of the old API, of which a subscription has its own or its customer's
        {{ json_text('payload', object + ['discount']) }} is not null
        and {{ json_text('payload', object + ['discounts', 0]) }} is null as has_single_discount,
        created_at,
        received_at,
        {{ to_timestamp_seconds(
            json_integer('payload', object + ['created'])
        ) }} as subscription_created_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['start_date'])) }} as started_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['trial_end'])) }} as trial_ends_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['cancel_at'])) }} as cancel_at,
        {{ to_timestamp_seconds(
            json_integer('payload', object + ['canceled_at'])
        ) }} as cancel_requested_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['ended_at'])) }} as ended_at,
        {{ to_timestamp_seconds(
            "coalesce(" ~ json_integer('payload', object + ['current_period_start']) ~ ", "
            ~ json_integer('payload', object + ['items', 'data', 0, 'current_period_start']) ~ ")"
        ) }} as current_period_started_at,
        {{ to_timestamp_seconds(
            "coalesce(" ~ json_integer('payload', object + ['current_period_end']) ~ ", "
            ~ json_integer('payload', object + ['items', 'data', 0, 'current_period_end']) ~ ")"
        ) }} as current_period_ends_at
    from events

)

select * from final
