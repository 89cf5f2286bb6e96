{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id', 'event_date']}, {'columns': ['event_date', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'event_date'],
        'days': 'utc',
        'closed_with': 'facts',
        'product': 'upcoach',
    }},
) }}

with

events as (

    select * from {{ ref('fact_events') }}

),

event_roles as (

    select * from {{ ref('engagement_event_roles') }}

),

open_days as (

    select
        events.tenant_id,
        events.user_id,
        events.event_date,
        min(events.occurred_at) as first_active_at,
        max(events.occurred_at) as last_active_at
    from events
    left join event_roles on events.event_name = event_roles.event_name
    where
        events.product = 'upcoach'
        and events.user_id is not null
        and coalesce(event_roles.is_activity, true)
        and {{ is_affected('events.tenant_id', 'events.event_date', near='events.date_key') }}
        and {{ is_open_day('events') }}
    group by events.tenant_id, events.user_id, events.event_date

),

final as (

    {{ open_and_closed_days([
        'tenant_id', 'user_id', 'event_date', 'first_active_at', 'last_active_at',
    ]) }}

)

select * from final
