{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

actives as (

    select * from {{ ref('int_engagement__daily_actives') }}

),

messages as (

    select * from {{ ref('int_engagement__daily_messages') }}

),

calendar as (

    select * from {{ ref('int_engagement__calendar') }}

),

sessions as (

    select
        product,
        tenant_id,
        date_key,
        count(*) as sessions,
        count(user_id) as user_sessions,
        sum(session_minutes) as session_minutes,
        sum(active_minutes) as active_minutes
    from {{ ref('fact_sessions') }}
    where {{ is_affected('tenant_id', 'date_key') }}
    group by product, tenant_id, date_key

),

counted as (

    select
        actives.metric_date,
        actives.product,
        actives.tenant_id,
        actives.dau,
        actives.wau,
        actives.mau,
        actives.new_users,
        coalesce(sessions.sessions, 0) as sessions,
        coalesce(sessions.user_sessions, 0) as user_sessions,
        coalesce(sessions.session_minutes, 0) as session_minutes,
        coalesce(sessions.active_minutes, 0) as active_minutes,
        coalesce(messages.notifications_sent, 0) as notifications_sent,
        coalesce(messages.notifications_delivered, 0) as notifications_delivered,
        coalesce(messages.notifications_opened, 0) as notifications_opened,
        coalesce(messages.notification_opt_outs, 0) as notification_opt_outs,
        messages.listen_through_rate,
        calendar.is_complete
    from actives
    inner join calendar
        on
            actives.product = calendar.product
            and actives.tenant_id = calendar.tenant_id
            and actives.metric_date = calendar.metric_date
    left join sessions
        on
            actives.product = sessions.product
            and actives.tenant_id = sessions.tenant_id
            and actives.metric_date = sessions.date_key
    left join messages
        on
            actives.product = messages.product
            and actives.tenant_id = messages.tenant_id
            and actives.metric_date = messages.date_key
    where {{ is_affected('actives.tenant_id', 'actives.metric_date') }}

),

final as (

    select
        metric_date,
        product,
        tenant_id,
        dau,
        wau,
        mau,
        case when is_complete then {{ rate('dau', 'mau') }} end as stickiness,
        new_users,
        sessions,
        user_sessions,
        case when is_complete then {{ rate('user_sessions', 'dau') }} end as sessions_per_user,
        session_minutes,
        case when is_complete then {{ rate('session_minutes', 'sessions') }} end as avg_session_minutes,
        cast(active_minutes as bigint) as active_minutes,
        notifications_sent,
        notifications_delivered,
        notifications_opened,
        notification_opt_outs,
        case
            when is_complete then {{ rate('notifications_opened', 'notifications_delivered') }}
        end as notification_ctr,
        case
            when is_complete then {{ rate('notification_opt_outs', 'notifications_sent') }}
        end as opt_out_rate,
        case when is_complete then listen_through_rate end as listen_through_rate,
        is_complete
    from counted

)

select * from final
