{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts', 'product': 'rostracore',
    }},
) }}

with events as (

    select * from {{ ref('fact_events') }} as facts
    where
        product = 'rostracore'
        and event_name = 'roster_manual_override'
        and {{ is_affected('tenant_id', 'date_key') }}
        and {{ is_open_day('facts') }}

),

open_days as (

    select
        tenant_id,
        date_key,
        event_id,
        user_id,
        occurred_at,
        {{ entity_uuid('rostracore', 'roster', json_text('properties', 'roster_id')) }} as roster_id,
        coalesce(
            {{ entity_uuid('rostracore', 'shift', json_text('properties', 'shift_id')) }}, event_id
        ) as overridden_id
    from events
    where {{ json_text('properties', 'roster_id') }} is not null

),

final as (

    {{ open_and_closed_days([
        'tenant_id', 'date_key', 'event_id', 'user_id', 'occurred_at', 'roster_id', 'overridden_id',
    ]) }}

)

select * from final
