{%- set object = ['data', 'object'] -%}

-- The subscription stands on the invoice (old) or below its parent (2025-03-31 and later).
with events as (

    select * from {{ source('stripe', 'events') }}
    where event_type like 'invoice.%' and object_type = 'invoice'

),

final as (

    select
        account,
        event_id,
        {{ billing_entity('stripe', 'account', 'customer_id') }} as entity_key,
        product,
        load_id,
        object_id as invoice_source_id,
        customer_id as customer_source_id,
        coalesce(
            {{ json_text('payload', object + ['subscription']) }},
            {{ json_text('payload', object + ['parent', 'subscription_details', 'subscription']) }}
        ) as subscription_source_id,
        {{ json_text('payload', object + ['charge']) }} as charge_source_id,
        coalesce(
            {{ json_text('payload', object + ['payment_intent']) }},
            {{ json_text('payload', object + ['payments', 'data', 0, 'payment', 'payment_intent']) }}
        ) as payment_intent_source_id,
        event_type,
        {{ json_text('payload', object + ['status']) }} as status,
        {{ json_text('payload', object + ['billing_reason']) }} as billing_reason,
        lower({{ json_text('payload', object + ['currency']) }}) as currency,
        {{ json_integer('payload', object + ['amount_due']) }} as due_source_cents,
        {{ json_integer('payload', object + ['amount_paid']) }} as paid_source_cents,
        coalesce(
            {{ json_integer('payload', object + ['tax']) }},
            {{ json_integer('payload', object + ['total']) }}
            - {{ json_integer('payload', object + ['total_excluding_tax']) }}
        ) as tax_source_cents,
        {{ json_value('payload', object + ['discount']) }} as discount,
        {{ json_value('payload', object + ['discounts']) }} as discounts,
        livemode as is_live,
        created_at,
        received_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['created'])) }} as drafted_at,
        {{ to_timestamp_seconds(
            json_integer('payload', object + ['status_transitions', 'finalized_at'])
        ) }} as finalized_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['due_date'])) }} as due_at,
        {{ to_timestamp_seconds(
            json_integer('payload', object + ['status_transitions', 'paid_at'])
        ) }} as paid_at
    from events

)

select * from final
