{%- set object = ['data', 'object'] -%}

with events as (

    select * from {{ source('stripe', 'events') }}
    where event_type in ('customer.created', 'customer.updated', 'customer.deleted')

),

final as (

    select
        account,
        event_id,
        {{ billing_entity('stripe', 'account', 'customer_id') }} as entity_key,
        product,
        load_id,
        object_id as customer_source_id,
        {{ json_text('payload', object + ['metadata', 'tenant_id']) }} as tenant_source_id,
        {{ json_text('payload', object + ['metadata', 'user_id']) }} as user_source_id,
        event_type,
        lower({{ json_text('payload', object + ['currency']) }}) as currency,
        {{ json_value('payload', object + ['discount']) }} as discount,
        livemode as is_live,
        created_at,
        received_at
    from events

)

select * from final
