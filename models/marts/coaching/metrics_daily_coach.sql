with client_coaches as (

    select * from {{ ref('int_coaching__client_coaches') }}

),

goals as (

    select * from {{ ref('int_coaching__goals') }}

),

chats as (

    select * from {{ ref('stg_upcoach__chat_sessions') }}

),

questions as (

    select * from {{ ref('int_coaching__chat_questions') }}
    where coach_id is not null

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

-- days on which a goal counts for a coach: it is there, and its owner is the coach's client
coached_goals as (

    select
        client_coaches.tenant_id,
        client_coaches.coach_id,
        case
            when goals.created_date > client_coaches.first_date then goals.created_date
            else client_coaches.first_date
        end as first_date,
        case
            when goals.completed_date > client_coaches.first_date then goals.completed_date
            when goals.completed_date is not null then client_coaches.first_date
        end as completed_date,
        case
            when goals.deleted_date < client_coaches.until_date then goals.deleted_date
            else coalesce(client_coaches.until_date, goals.deleted_date)
        end as until_date
    from client_coaches
    inner join goals on client_coaches.tenant_id = goals.tenant_id and client_coaches.user_id = goals.user_id

),

changes as (

    select
        tenant_id,
        coach_id,
        first_date as change_date,
        1 as client_change,
        0 as active_change,
        0 as completed_change
    from client_coaches

    union all

    select
        tenant_id,
        coach_id,
        until_date as change_date,
        -1 as client_change,
        0 as active_change,
        0 as completed_change
    from client_coaches
    where until_date is not null

    union all

    select
        tenant_id,
        coach_id,
        first_date as change_date,
        0 as client_change,
        1 as active_change,
        0 as completed_change
    from coached_goals
    where until_date is null or first_date < until_date

    union all

    select
        tenant_id,
        coach_id,
        completed_date as change_date,
        0 as client_change,
        0 as active_change,
        1 as completed_change
    from coached_goals
    where completed_date is not null and (until_date is null or completed_date < until_date)

    union all

    select
        tenant_id,
        coach_id,
        until_date as change_date,
        0 as client_change,
        -1 as active_change,
        case when completed_date < until_date then -1 else 0 end as completed_change
    from coached_goals
    where first_date < until_date

),

daily_changes as (

    select
        tenant_id,
        coach_id,
        change_date,
        sum(client_change) as client_change,
        sum(active_change) as active_change,
        sum(completed_change) as completed_change
    from changes
    group by tenant_id, coach_id, change_date

),

dated_chats as (

    select
        chats.tenant_id,
        chats.user_id,
        chats.coach_id,
        chats.rating,
        {{ local_date('chats.started_at', 'tenants.timezone') }} as started_date
    from chats
    inner join tenants on chats.tenant_id = tenants.tenant_id
    where chats.started_at is not null

),

held_chats as (

    select
        tenant_id,
        coach_id,
        started_date,
        count(*) as chat_sessions,
        count(rating) as rated_sessions,
        sum(rating) as rating_sum
    from dated_chats
    where coach_id is not null
    group by tenant_id, coach_id, started_date

),

clients_chats as (

    select
        client_coaches.tenant_id,
        client_coaches.coach_id,
        dated_chats.started_date,
        count(dated_chats.rating) as client_ratings,
        sum(dated_chats.rating) as client_rating_sum
    from client_coaches
    inner join dated_chats
        on
            client_coaches.tenant_id = dated_chats.tenant_id
            and client_coaches.user_id = dated_chats.user_id
    where
        client_coaches.first_date <= dated_chats.started_date
        and (client_coaches.until_date is null or client_coaches.until_date > dated_chats.started_date)
    group by client_coaches.tenant_id, client_coaches.coach_id, dated_chats.started_date

),

asked as (

    select
        tenant_id,
        coach_id,
        asked_date,
        count(*) as questions_asked,
        count(response_minutes) as questions_answered,
        round(cast({{ median('response_minutes') }} as {{ type_numeric() }}), 3) as response_minutes_median
    from questions
    group by tenant_id, coach_id, asked_date

),

begun as (

    select
        tenant_id,
        coach_id,
        change_date as first_date
    from daily_changes

    union all

    select
        tenant_id,
        coach_id,
        started_date as first_date
    from held_chats

    union all

    select
        tenant_id,
        coach_id,
        asked_date as first_date
    from asked

),

coaches as (

    select
        begun.tenant_id,
        begun.coach_id,
        min(begun.first_date) as first_date,
        {{ as_of_date('min(tenants.timezone)') }} as running_date
    from begun
    inner join tenants on begun.tenant_id = tenants.tenant_id
    group by begun.tenant_id, begun.coach_id

),

-- the days there are rows for, so that few are compared with each
lived_dates as (

    select dates.date_key
    from dates
    where
        dates.date_key >= (select min(coaches.first_date) from coaches)
        and dates.date_key <= (select max(coaches.running_date) from coaches)

),

coach_days as (

    select
        coaches.tenant_id,
        coaches.coach_id,
        lived_dates.date_key as metric_date,
        lived_dates.date_key < coaches.running_date as is_complete
    from coaches
    inner join lived_dates
        on coaches.first_date <= lived_dates.date_key and coaches.running_date >= lived_dates.date_key

),

counted as (

    select
        coach_days.tenant_id,
        coach_days.coach_id,
        coach_days.metric_date,
        coach_days.is_complete,
        cast(sum(coalesce(daily_changes.client_change, 0)) over (
            partition by coach_days.tenant_id, coach_days.coach_id
            order by coach_days.metric_date
        ) as bigint) as clients,
        cast(sum(coalesce(daily_changes.active_change, 0)) over (
            partition by coach_days.tenant_id, coach_days.coach_id
            order by coach_days.metric_date
        ) as bigint) as active_goals,
        cast(sum(coalesce(daily_changes.completed_change, 0)) over (
            partition by coach_days.tenant_id, coach_days.coach_id
            order by coach_days.metric_date
        ) as bigint) as completed_goals
    from coach_days
    left join daily_changes
        on
            coach_days.tenant_id = daily_changes.tenant_id
            and coach_days.coach_id = daily_changes.coach_id
            and coach_days.metric_date = daily_changes.change_date

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,
        counted.coach_id,

        counted.clients,
        counted.active_goals,
        counted.completed_goals,
        case
            when counted.is_complete then {{ rate('counted.completed_goals', 'counted.active_goals') }}
        end as goal_completion_rate,
        coalesce(asked.questions_asked, 0) as questions_asked,
        coalesce(asked.questions_answered, 0) as questions_answered,
        case when counted.is_complete then asked.response_minutes_median end as message_response_minutes_median,
        coalesce(held_chats.chat_sessions, 0) as chat_sessions,
        coalesce(held_chats.rated_sessions, 0) as rated_sessions,
        case
            when counted.is_complete then {{ rate('held_chats.rating_sum', 'held_chats.rated_sessions') }}
        end as session_rating_avg,
        case
            when counted.is_complete then {{ rate('clients_chats.client_rating_sum', 'clients_chats.client_ratings') }}
        end as ai_session_satisfaction,

        counted.is_complete
    from counted
    left join held_chats
        on
            counted.tenant_id = held_chats.tenant_id
            and counted.coach_id = held_chats.coach_id
            and counted.metric_date = held_chats.started_date
    left join clients_chats
        on
            counted.tenant_id = clients_chats.tenant_id
            and counted.coach_id = clients_chats.coach_id
            and counted.metric_date = clients_chats.started_date
    left join asked
        on
            counted.tenant_id = asked.tenant_id
            and counted.coach_id = asked.coach_id
            and counted.metric_date = asked.asked_date

)

select * from final
