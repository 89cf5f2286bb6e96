{%- set object = ['data', 'object'] -%}

with events as (

    select * from {{ source('stripe', 'events') }}
    where event_type like 'charge.%' and object_type = 'charge'

),

final as (

    select
        account,
        event_id,
        {{ billing_entity('stripe', 'account', 'customer_id') }} as entity_key,
        product,
        load_id,
        object_id as charge_source_id,
        customer_id as customer_source_id,
        {{ json_text('payload', object + ['invoice']) }} as invoice_source_id,
        {{ json_text('payload', object + ['payment_intent']) }} as payment_intent_source_id,
        {{ json_text('payload', object + ['metadata', 'tenant_id']) }} as tenant_source_id,
        {{ json_text('payload', object + ['metadata', 'user_id']) }} as user_source_id,
        event_type,
        -- the oldest charges have no status: whether they were paid says it
        coalesce(
            {{ json_text('payload', object + ['status']) }},
            case when {{ json_boolean('payload', object + ['paid']) }} then 'succeeded' else 'failed' end
        ) as status,
        {{ json_text('payload', object + ['failure_code']) }} as failure_code,
        lower({{ json_text('payload', object + ['currency']) }}) as currency,
        {{ json_integer('payload', object + ['amount']) }} as amount_source_cents,
        {{ json_integer('payload', object + ['amount_captured']) }} as captured_source_cents,
        {{ json_integer('payload', object + ['amount_refunded']) }} as refunded_source_cents,
        livemode as is_live,
        coalesce({{ json_boolean('payload', object + ['paid']) }}, false) as is_paid,
        coalesce({{ json_boolean('payload', object + ['captured']) }}, true) as is_captured,
        created_at,
        received_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['created'])) }} as charged_at
    from events

)

select * from final
