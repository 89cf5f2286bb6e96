{%- set object = ['data', 'object'] -%}

with events as (

    select * from {{ source('stripe', 'events') }}
    where object_type = 'refund'

),

final as (

    select
        account,
        event_id,
        product,
        load_id,
        object_id as refund_source_id,
        {{ json_text('payload', object + ['charge']) }} as charge_source_id,
        event_type,
        {{ json_text('payload', object + ['status']) }} as status,
        {{ json_text('payload', object + ['reason']) }} as reason,
        lower({{ json_text('payload', object + ['currency']) }}) as currency,
        {{ json_integer('payload', object + ['amount']) }} as amount_source_cents,
        livemode as is_live,
        created_at,
        received_at,
        {{ to_timestamp_seconds(json_integer('payload', object + ['created'])) }} as refunded_at
    from events

)

select * from final
