with events as (
    select * from {{ ref('stg_stripe__events') }}
    where event_type in ('customer.created', 'customer.updated', 'customer.deleted')
),

final as (
    select
        account,
        event_id,
        product,
        load_id,
        object_source_id as customer_source_id,
        {{ json_text('payload', ['data', 'object', 'metadata', 'tenant_id']) }} as tenant_source_id,
        {{ json_text('payload', ['data', 'object', 'metadata', 'user_id']) }} as user_source_id,
        event_type,
        lower({{ json_text('payload', ['data', 'object', 'currency']) }}) as currency,
        is_live,
        created_at,
        received_at
    from events
)

select * from final
