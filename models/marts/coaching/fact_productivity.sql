{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id', 'date_key']}, {'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'by': 'affected_productivity', 'columns': ['tenant_id', 'user_id', 'date_key']}},
) }}

with

tenants as (

    select * from {{ ref('dim_tenant') }}

),

instants as (

    select
        tenant_id,
        user_id,
        'goals_completed' as measure,
        1 as amount,
        completed_at as happened_at
    from {{ ref('stg_upcoach__goals') }}
    where status = 'completed'

    union all

    select
        tenant_id,
        user_id,
        'tasks_completed' as measure,
        1 as amount,
        completed_at as happened_at
    from {{ ref('stg_upcoach__tasks') }}

    union all

    select
        tenant_id,
        user_id,
        'mood' as measure,
        score as amount,
        entered_at as happened_at
    from {{ ref('stg_upcoach__mood_entries') }}

    union all

    select
        tenant_id,
        user_id,
        'chat_sessions' as measure,
        1 as amount,
        started_at as happened_at
    from {{ ref('stg_upcoach__chat_sessions') }}

),

measures as (

    select
        instants.tenant_id,
        instants.user_id,
        {{ local_date('instants.happened_at', 'tenants.timezone') }} as date_key,
        instants.measure,
        instants.amount
    from instants
    inner join tenants on instants.tenant_id = tenants.tenant_id
    where instants.happened_at is not null

    union all

    -- a check-in carries the user's own calendar day
    select
        checkins.tenant_id,
        checkins.user_id,
        checkins.checkin_date as date_key,
        'habits_checked' as measure,
        1 as amount
    from {{ ref('stg_upcoach__habit_checkins') }} as checkins
    inner join tenants on checkins.tenant_id = tenants.tenant_id

    union all

    select
        tenant_id,
        user_id,
        date_key,
        'active_minutes' as measure,
        active_minutes as amount
    from {{ ref('fact_sessions') }}
    where product = 'upcoach'

    union all

    select
        tenant_id,
        user_id,
        date_key,
        'revenue_cents' as measure,
        revenue_cents as amount
    from {{ ref('int_revenue__user_cash_daily') }}
    where product = 'upcoach' and revenue_cents <> 0

),

final as (

    select
        date_key,
        user_id,
        tenant_id,
        {{ count_if("measure = 'goals_completed'") }} as goals_completed,
        {{ count_if("measure = 'habits_checked'") }} as habits_checked,
        avg(case when measure = 'mood' then cast(amount as {{ type_numeric() }}) end) as mood_avg,
        {{ count_if("measure = 'chat_sessions'") }} as chat_sessions,
        cast(coalesce({{ sum_if("measure = 'revenue_cents'", 'amount') }}, 0) as bigint) as revenue_cents,
        {{ count_if("measure = 'tasks_completed'") }} as tasks_completed,
        cast(coalesce({{ sum_if("measure = 'active_minutes'", 'amount') }}, 0) as bigint) as active_minutes,
        {{ count_if("measure = 'active_minutes'") }} as sessions
    from measures
    where
        user_id is not null
        and {{ is_affected('tenant_id', 'user_id', 'date_key') }}
    group by date_key, user_id, tenant_id

)

select * from final
