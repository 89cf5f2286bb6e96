{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}, {'columns': ['tenant_id', 'user_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'date_key'],
        'days': 'local',
        'closed_with': 'facts',
        'notes': {'user_id': 'user_id'},
        'vars': ['event_details'],
    }},
) }}

with

event_roles as (

    select * from {{ ref('engagement_event_roles') }}

),

events as (

    select
        events.product,
        events.tenant_id,
        events.user_id,
        events.event_name,
        {{ event_detail('events.event_name', 'events.properties') }} as event_detail,
        events.date_key,
        events.occurred_at
    from {{ ref('fact_events') }} as events
    left join event_roles on events.event_name = event_roles.event_name
    where
        events.user_id is not null
        and coalesce(event_roles.is_activity, true)
        and {{ is_affected('events.tenant_id', 'events.date_key') }}
        and {{ is_open_day('events') }}

),

open_days as (

    select
        product,
        tenant_id,
        user_id,
        event_name,
        event_detail,
        date_key,
        count(*) as event_count,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at
    from events
    group by product, tenant_id, user_id, event_name, event_detail, date_key

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'user_id', 'event_name', 'event_detail', 'date_key', 'event_count',
        'first_event_at', 'last_event_at',
    ]) }}

)

select * from final
