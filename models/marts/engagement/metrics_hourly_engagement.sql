{{ config(
    materialized='incremental',
    indexes=[{'columns': ['event_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'event_date'], 'days': 'utc', 'closed_with': 'facts'}},
) }}

with

event_roles as (

    select * from {{ ref('engagement_event_roles') }}

),

user_minutes as (

    select
        events.product,
        events.tenant_id,
        events.user_id,
        events.event_date,
        {{ minute_start('events.occurred_at') }} as minute_at,
        count(*) as events
    from {{ ref('fact_events') }} as events
    left join event_roles on events.event_name = event_roles.event_name
    where
        coalesce(event_roles.is_activity, true)
        and {{ is_affected('events.tenant_id', 'events.event_date', near='events.date_key') }}
        and {{ is_open_day('events') }}
    group by
        events.product,
        events.tenant_id,
        events.user_id,
        events.event_date,
        {{ minute_start('events.occurred_at') }}

),

user_hours as (

    select
        product,
        tenant_id,
        user_id,
        event_date,
        {{ hour_start('minute_at') }} as hour_at,
        count(user_id) as active_minutes,
        sum(events) as events
    from user_minutes
    group by product, tenant_id, user_id, event_date, {{ hour_start('minute_at') }}

),

hours as (

    select
        product,
        tenant_id,
        event_date,
        hour_at,
        count(user_id) as active_users,
        sum(events) as events,
        sum(active_minutes) as active_minutes
    from user_hours
    group by product, tenant_id, event_date, hour_at

),

-- a session starts with an event, so its hour is among those above
session_hours as (

    select
        product,
        tenant_id,
        {{ hour_start('started_at') }} as hour_at,
        count(*) as sessions_started
    from {{ ref('fact_sessions') }}
    where {{ is_affected('tenant_id', local_date('started_at', "'UTC'"), near='date_key') }}
    group by product, tenant_id, {{ hour_start('started_at') }}

),

running_hours as (

    select * from {{ ref('int_core__running_hours') }}

),

open_days as (

    select
        hours.hour_at,
        hours.product,
        hours.tenant_id,
        cast(hours.active_users as bigint) as active_users,
        cast(hours.events as bigint) as events,
        cast(coalesce(session_hours.sessions_started, 0) as bigint) as sessions_started,
        cast(hours.active_minutes as bigint) as active_minutes,
        coalesce(hours.hour_at < running_hours.running_hour_at, true) as is_complete,
        hours.event_date
    from hours
    left join session_hours
        on
            hours.product = session_hours.product
            and hours.tenant_id = session_hours.tenant_id
            and hours.hour_at = session_hours.hour_at
    left join running_hours
        on
            hours.tenant_id = running_hours.tenant_id
            and hours.event_date = running_hours.event_date

),

final as (

    {{ open_and_closed_days([
        'hour_at', 'product', 'tenant_id', 'active_users', 'events', 'sessions_started',
        'active_minutes', 'is_complete', 'event_date',
    ], anew={'is_complete': 'true'}) }}

)

select * from final
