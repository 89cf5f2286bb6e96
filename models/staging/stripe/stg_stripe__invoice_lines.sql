{%- set object = ['data', 'object'] -%}

-- A line shows its price as an object (until 2025-03-31) or as its id, and its taxes apart from its discounts. Since
-- then a proration says so as what its item, or the invoice item that was waiting for a bill, brought about.
with events as (

    select * from {{ source('stripe', 'events') }}
    where event_type like 'invoice.%' and object_type = 'invoice'

),

lines as (

    select
        events.account,
        events.event_id,
        {{ billing_entity('stripe', 'events.account', 'events.customer_id') }} as entity_key,
        events.livemode as is_live,
        coalesce(
            {{ json_text('events.payload', object + ['subscription']) }},
            {{ json_text('events.payload', object + ['parent', 'subscription_details', 'subscription']) }}
        ) as invoice_subscription_source_id,
        {{ json_integer('events.payload', object + ['total']) }} as invoice_total_source_cents,
        {{ json_value('events.payload', object + ['total_tax_amounts']) }} as invoice_tax_amounts,
        {{ json_value('events.payload', object + ['total_taxes']) }} as invoice_taxes,
        line.position as line_position,
        line.value as line
    from events
    {{ json_array_lateral('events.payload', object + ['lines', 'data'], 'line') }}

),

final as (

    select
        account,
        event_id,
        entity_key,
        line_position,
        coalesce(
            {{ json_text('line', ['subscription']) }},
            {{ json_text('line', ['parent', 'subscription_item_details', 'subscription']) }},
            {{ json_text('line', ['parent', 'invoice_item_details', 'subscription']) }},
            invoice_subscription_source_id
        ) as billed_subscription_source_id,
        coalesce(
            {{ json_text('line', ['price', 'id']) }},
            {{ json_text('line', ['plan', 'id']) }},
            {{ json_text('line', ['pricing', 'price_details', 'price']) }}
        ) as price_source_id,
        coalesce(
            {{ json_text('line', ['price', 'recurring', 'usage_type']) }},
            {{ json_text('line', ['plan', 'usage_type']) }}
        ) as usage_type,
        lower({{ json_text('line', ['currency']) }}) as currency,
        {{ json_integer('line', ['amount']) }} as amount_source_cents,
        {{ json_integer('line', ['quantity']) }} as quantity,
        coalesce(
            {{ json_boolean('line', ['proration']) }},
            {{ json_boolean('line', ['parent', 'subscription_item_details', 'proration']) }},
            {{ json_boolean('line', ['parent', 'invoice_item_details', 'proration']) }},
            false
        ) as is_proration,
        {{ json_value('line', ['discount_amounts']) }} as discount_amounts,
        {{ json_value('line', ['tax_amounts']) }} as tax_amounts,
        {{ json_value('line', ['taxes']) }} as taxes,
        invoice_total_source_cents,
        invoice_tax_amounts,
        invoice_taxes,
        is_live,
        {{ to_timestamp_seconds(json_integer('line', ['period', 'start'])) }} as period_started_at,
        {{ to_timestamp_seconds(json_integer('line', ['period', 'end'])) }} as period_ends_at
    from lines

)

select * from final
