{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id', 'date_key']}, {'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local'}},
) }}

with

work_days as (

    select * from {{ ref('int_coaching__work_days') }}

),

sessions as (

    select * from {{ ref('fact_sessions') }}

),

cash as (

    select * from {{ ref('int_revenue__user_cash_daily') }}

),

measures as (

    select
        tenant_id,
        user_id,
        date_key,
        goals_completed,
        habits_checked,
        mood_avg,
        chat_sessions,
        tasks_completed,
        0 as active_minutes,
        0 as sessions,
        0 as revenue_cents
    from work_days
    where is_tenant_known and {{ is_affected('tenant_id', 'date_key') }}

    union all

    select
        tenant_id,
        user_id,
        date_key,
        0 as goals_completed,
        0 as habits_checked,
        null as mood_avg,
        0 as chat_sessions,
        0 as tasks_completed,
        active_minutes,
        1 as sessions,
        0 as revenue_cents
    from sessions
    where product = 'upcoach' and user_id is not null and {{ is_affected('tenant_id', 'date_key') }}

    union all

    select
        tenant_id,
        user_id,
        date_key,
        0 as goals_completed,
        0 as habits_checked,
        null as mood_avg,
        0 as chat_sessions,
        0 as tasks_completed,
        0 as active_minutes,
        0 as sessions,
        revenue_cents
    from cash
    where
        product = 'upcoach'
        and user_id is not null
        and revenue_cents <> 0
        and {{ is_affected('tenant_id', 'date_key') }}

),

final as (

    select
        date_key,
        user_id,
        tenant_id,
        cast(sum(goals_completed) as bigint) as goals_completed,
        cast(sum(habits_checked) as bigint) as habits_checked,
        max(mood_avg) as mood_avg,
        cast(sum(chat_sessions) as bigint) as chat_sessions,
        cast(sum(revenue_cents) as bigint) as revenue_cents,
        cast(sum(tasks_completed) as bigint) as tasks_completed,
        cast(sum(active_minutes) as bigint) as active_minutes,
        cast(sum(sessions) as bigint) as sessions
    from measures
    group by date_key, user_id, tenant_id

)

select * from final
