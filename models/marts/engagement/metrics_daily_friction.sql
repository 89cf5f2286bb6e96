{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local', 'closed_with': 'facts'}},
) }}

with

events as (

    select * from {{ ref('fact_events') }}

),

friction_events as (

    select * from {{ ref('friction_events') }}

),

engagement as (

    select * from {{ ref('metrics_daily_engagement') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

counted as (

    select
        events.product,
        events.tenant_id,
        events.date_key,
        friction_events.friction_kind,
        count(*) as events,
        count(distinct events.user_id) as users_affected
    from events
    inner join friction_events on events.event_name = friction_events.event_name
    where {{ is_affected('events.tenant_id', 'events.date_key') }} and {{ is_open_day('events') }}
    group by events.product, events.tenant_id, events.date_key, friction_events.friction_kind

),

open_days as (

    select
        counted.date_key as metric_date,
        counted.product,
        counted.tenant_id,
        counted.friction_kind,

        counted.events,
        counted.users_affected,
        engagement.sessions,
        case
            when engagement.is_complete then {{ rate('counted.events', 'engagement.sessions') }}
        end as rate_per_session,

        engagement.is_complete
    from counted
    inner join engagement
        on
            counted.product = engagement.product
            and counted.tenant_id = engagement.tenant_id
            and counted.date_key = engagement.metric_date

),

final as (

    {{ open_and_closed_days([
        'metric_date', 'product', 'tenant_id', 'friction_kind', 'events', 'users_affected',
        'sessions', 'rate_per_session', 'is_complete',
    ]) }}

)

select * from final
