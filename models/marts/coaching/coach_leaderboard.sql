{%- set days_in_window = 28 -%}

with coach_days as (

    select * from {{ ref('metrics_daily_coach') }}
    where is_complete

),

questions as (

    select * from {{ ref('int_coaching__chat_questions') }}

),

windows as (

    select
        tenant_id,
        {{ add_days('max(metric_date)', 1 - days_in_window) }} as first_date,
        max(metric_date) as last_date
    from coach_days
    group by tenant_id

),

asked as (

    select
        questions.tenant_id,
        questions.coach_id,
        round(cast({{ median('questions.response_minutes') }} as {{ type_numeric() }}), 3) as response_minutes_median
    from questions
    inner join windows
        on
            questions.tenant_id = windows.tenant_id
            and questions.asked_date >= windows.first_date
            and questions.asked_date <= windows.last_date
    group by questions.tenant_id, questions.coach_id

),

summed as (

    select
        coach_days.tenant_id,
        coach_days.coach_id,
        windows.first_date,
        windows.last_date,
        max(case when coach_days.metric_date = windows.last_date then coach_days.clients end) as clients,
        max(case when coach_days.metric_date = windows.last_date then coach_days.active_goals end) as active_goals,
        max(case when coach_days.metric_date = windows.last_date then coach_days.completed_goals end)
            as completed_goals,
        max(case when coach_days.metric_date = windows.last_date then coach_days.goal_completion_rate end)
            as goal_completion_rate,
        cast(sum(coach_days.rated_sessions) as bigint) as rated_sessions,
        {{ rate(
            'sum(coach_days.session_rating_avg * coach_days.rated_sessions)', 'sum(coach_days.rated_sessions)'
        ) }} as session_rating_avg
    from coach_days
    inner join windows
        on
            coach_days.tenant_id = windows.tenant_id
            and coach_days.metric_date >= windows.first_date
            and coach_days.metric_date <= windows.last_date
    group by coach_days.tenant_id, coach_days.coach_id, windows.first_date, windows.last_date

),

final as (

    select
        summed.tenant_id,
        summed.coach_id,

        cast(rank() over (
            partition by summed.tenant_id
            order by
                coalesce(summed.goal_completion_rate, -1) desc,
                coalesce(round(summed.session_rating_avg, 6), -1) desc
        ) as bigint) as rank_number,
        summed.clients,
        summed.active_goals,
        summed.completed_goals,
        summed.goal_completion_rate,
        summed.rated_sessions,
        round(summed.session_rating_avg, 6) as session_rating_avg,
        asked.response_minutes_median as message_response_minutes_median,

        summed.first_date,
        summed.last_date
    from summed
    left join asked on summed.tenant_id = asked.tenant_id and summed.coach_id = asked.coach_id
    -- who has no client any more is in no race
    where summed.clients > 0

)

select * from final
