with goals as (

    select * from {{ ref('int_coaching__goals') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

-- a goal counts from the day on which it is created, and as completed from then on, until it is deleted
changes as (

    select
        tenant_id,
        cohort_week,
        created_date as change_date,
        1 as active_change,
        0 as completed_change
    from goals

    union all

    select
        tenant_id,
        cohort_week,
        completed_date as change_date,
        0 as active_change,
        1 as completed_change
    from goals
    where completed_date is not null and (deleted_date is null or completed_date < deleted_date)

    union all

    select
        tenant_id,
        cohort_week,
        case when deleted_date < created_date then created_date else deleted_date end as change_date,
        -1 as active_change,
        case when completed_date < deleted_date then -1 else 0 end as completed_change
    from goals
    where deleted_date is not null

),

daily_changes as (

    select
        tenant_id,
        cohort_week,
        change_date,
        sum(active_change) as active_change,
        sum(completed_change) as completed_change
    from changes
    group by tenant_id, cohort_week, change_date

),

cohorts as (

    select
        daily_changes.tenant_id,
        daily_changes.cohort_week,
        min(daily_changes.change_date) as first_date,
        {{ as_of_date('min(tenants.timezone)') }} as running_date
    from daily_changes
    inner join tenants on daily_changes.tenant_id = tenants.tenant_id
    group by daily_changes.tenant_id, daily_changes.cohort_week

),

-- the days there are rows for, so that few are compared with each
lived_dates as (

    select dates.date_key
    from dates
    where
        dates.date_key >= (select min(cohorts.first_date) from cohorts)
        and dates.date_key <= (select max(cohorts.running_date) from cohorts)

),

counted as (

    select
        cohorts.tenant_id,
        cohorts.cohort_week,
        lived_dates.date_key as metric_date,
        cast(sum(coalesce(daily_changes.active_change, 0)) over (
            partition by cohorts.tenant_id, cohorts.cohort_week
            order by lived_dates.date_key
        ) as bigint) as active_goals,
        cast(sum(coalesce(daily_changes.completed_change, 0)) over (
            partition by cohorts.tenant_id, cohorts.cohort_week
            order by lived_dates.date_key
        ) as bigint) as completed_goals,
        lived_dates.date_key < cohorts.running_date as is_complete
    from cohorts
    inner join lived_dates
        on cohorts.first_date <= lived_dates.date_key and cohorts.running_date >= lived_dates.date_key
    left join daily_changes
        on
            cohorts.tenant_id = daily_changes.tenant_id
            and cohorts.cohort_week = daily_changes.cohort_week
            and lived_dates.date_key = daily_changes.change_date

),

final as (

    select
        metric_date,
        tenant_id,
        cohort_week,

        active_goals,
        completed_goals,
        case when is_complete then {{ rate('completed_goals', 'active_goals') }} end as goal_completion_rate,

        is_complete
    from counted

)

select * from final
