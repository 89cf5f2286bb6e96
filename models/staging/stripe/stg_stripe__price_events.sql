{%- set object = ['data', 'object'] -%}

-- A price, or a plan as prices once were called, in an event of its own or as a list of the API has it. Its tiers are
-- there where they were asked for (`expand[]=data.tiers`).
with events as (

    select * from {{ source('stripe', 'events') }}
    where object_type in ('price', 'plan')

),

final as (

    select
        account,
        event_id,
        product,
        load_id,
        object_id as price_source_id,
        {{ json_text('payload', object + ['tiers_mode']) }} as tiers_mode,
        {{ json_value('payload', object + ['tiers']) }} as tiers,
        {{ json_text('payload', object + ['tiers', 0]) }} is not null as has_tiers,
        livemode as is_live,
        created_at,
        received_at
    from events

)

select * from final
