{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local'}},
) }}

with events as (

    select * from {{ ref('fact_events') }}
    where
        product = 'rostracore'
        and event_name = 'roster_manual_override'
        and {{ is_affected('tenant_id', 'date_key') }}

),

final as (

    select
        tenant_id,
        date_key,
        event_id,
        {{ entity_uuid('rostracore', 'roster', json_text('properties', 'roster_id')) }} as roster_id,
        coalesce(
            {{ entity_uuid('rostracore', 'shift', json_text('properties', 'shift_id')) }}, event_id
        ) as overridden_id
    from events
    where {{ json_text('properties', 'roster_id') }} is not null

)

select * from final
