{%- set object = ['data', 'object'] -%}

-- A coupon in an event of its own, or as a list of the API has it: what newer discounts name by its id alone.
with events as (

    select * from {{ source('stripe', 'events') }}
    where object_type = 'coupon'

),

final as (

    select
        account,
        event_id,
        product,
        load_id,
        object_id as coupon_source_id,
        event_type,
        {{ json_value('payload', object) }} as coupon,
        livemode as is_live,
        created_at,
        received_at
    from events

)

select * from final
