-- Habits day by day, from the first on which each is due until six days after its last: so long it is in a window.
{%- set days_a_week = 7 %}

with habits as (

    select * from {{ ref('int_coaching__habits') }}

),

checkins as (

    select * from {{ ref('stg_upcoach__habit_checkins') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

-- the days there are rows for, so that few are compared with each
lived_dates as (

    select dates.date_key
    from dates
    where
        dates.date_key >= (select min(habits.first_date) from habits)
        and dates.date_key <= (select max(habits.running_date) from habits)

),

lived as (

    select
        habits.tenant_id,
        habits.habit_id,
        habits.is_weekly,
        lived_dates.date_key,
        {{ week_start('lived_dates.date_key') }} as week_start,
        habits.end_date is null or lived_dates.date_key < habits.end_date as is_kept,
        checkins.habit_id is not null as is_checked
    from habits
    inner join lived_dates
        on habits.first_date <= lived_dates.date_key and habits.running_date >= lived_dates.date_key
    left join checkins
        on
            habits.tenant_id = checkins.tenant_id
            and habits.habit_id = checkins.habit_id
            and lived_dates.date_key = checkins.checkin_date
    where
        habits.end_date is null
        or (
            habits.end_date > habits.first_date
            and lived_dates.date_key < {{ add_days('habits.end_date', days_a_week - 1) }}
        )

),

-- what is due once a week is so on the day of the week's first check-in; without one, on Sunday
weekly as (

    select
        tenant_id,
        habit_id,
        week_start,
        coalesce(
            min(case when is_checked then date_key end),
            max(case when date_key = {{ add_days('week_start', days_a_week - 1) }} then date_key end)
        ) as due_date
    from lived
    where is_weekly and is_kept
    group by tenant_id, habit_id, week_start

),

judged as (

    select
        lived.tenant_id,
        lived.habit_id,
        lived.date_key,
        case when lived.is_kept and (not lived.is_weekly or weekly.due_date is not null) then 1 else 0 end as due,
        case
            when lived.is_kept and lived.is_checked and (not lived.is_weekly or weekly.due_date is not null) then 1
            else 0
        end as done,
        case when lived.is_weekly then {{ days_a_week }} else 1 end as days_for_one
    from lived
    left join weekly
        on
            lived.tenant_id = weekly.tenant_id
            and lived.habit_id = weekly.habit_id
            and lived.date_key = weekly.due_date

),

missed as (

    select
        *,
        sum(due - done) over (partition by tenant_id, habit_id order by date_key) as misses
    from judged

),

final as (

    select
        tenant_id,
        habit_id,
        date_key,

        due,
        done,
        sum(due) over (
            partition by tenant_id, habit_id order by date_key
            rows between {{ days_a_week - 1 }} preceding and current row
        ) as due_7_days,
        sum(done) over (
            partition by tenant_id, habit_id order by date_key
            rows between {{ days_a_week - 1 }} preceding and current row
        ) as done_7_days,
        -- since the last one that was missed, carried over days on which nothing is due
        sum(done * days_for_one) over (
            partition by tenant_id, habit_id, misses order by date_key
        ) as streak_days
    from missed

)

select * from final
