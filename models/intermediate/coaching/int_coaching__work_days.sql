{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id']}, {'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'user_id'],
        'through': {'loads': none, 'int_core__tenant_timezones': 'int_coaching__work_days'},
        'notes': {'local_day': 'date_key'},
    }},
) }}

with

timezones as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

instants as (

    select
        tenant_id,
        user_id,
        'goals_completed' as measure,
        1 as amount,
        completed_at as happened_at
    from {{ ref('stg_upcoach__goals') }}
    where status = 'completed' and {{ is_affected('tenant_id', 'user_id') }}

    union all

    select
        tenant_id,
        user_id,
        'tasks_completed' as measure,
        1 as amount,
        completed_at as happened_at
    from {{ ref('stg_upcoach__tasks') }}
    where {{ is_affected('tenant_id', 'user_id') }}

    union all

    select
        tenant_id,
        user_id,
        'mood' as measure,
        score as amount,
        entered_at as happened_at
    from {{ ref('stg_upcoach__mood_entries') }}
    where {{ is_affected('tenant_id', 'user_id') }}

    union all

    select
        tenant_id,
        user_id,
        'chat_sessions' as measure,
        1 as amount,
        started_at as happened_at
    from {{ ref('stg_upcoach__chat_sessions') }}
    where {{ is_affected('tenant_id', 'user_id') }}

),

measures as (

    select
        instants.tenant_id,
        instants.user_id,
        {{ local_date('instants.happened_at', "coalesce(timezones.timezone, 'UTC')") }} as date_key,
        instants.measure,
        instants.amount
    from instants
    left join timezones on instants.tenant_id = timezones.tenant_id
    where instants.happened_at is not null

    union all

    -- a check-in carries the user's own calendar day
    select
        tenant_id,
        user_id,
        checkin_date as date_key,
        'habits_checked' as measure,
        1 as amount
    from {{ ref('stg_upcoach__habit_checkins') }}
    where {{ is_affected('tenant_id', 'user_id') }}

),

final as (

    select
        measures.tenant_id,
        measures.user_id,
        measures.date_key,
        {{ count_if("measures.measure = 'goals_completed'") }} as goals_completed,
        {{ count_if("measures.measure = 'habits_checked'") }} as habits_checked,
        avg(case when measures.measure = 'mood' then cast(measures.amount as {{ type_numeric() }}) end) as mood_avg,
        {{ count_if("measures.measure = 'chat_sessions'") }} as chat_sessions,
        {{ count_if("measures.measure = 'tasks_completed'") }} as tasks_completed,
        timezones.tenant_id is not null as is_tenant_known
    from measures
    left join timezones on measures.tenant_id = timezones.tenant_id
    where measures.tenant_id is not null and measures.user_id is not null
    group by measures.tenant_id, measures.user_id, measures.date_key, timezones.tenant_id

)

select * from final
