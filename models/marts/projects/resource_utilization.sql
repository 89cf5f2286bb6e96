with weeks as (

    select * from {{ ref('int_projects__weeks') }}

),

contributor_days as (

    select * from {{ ref('int_projects__contributor_days') }}

),

time_costs as (

    select * from {{ ref('int_projects__time_costs') }}

),

tasks as (

    select * from {{ ref('stg_projectflo__tasks') }}

),

equipment_weeks as (

    select * from {{ ref('int_projects__equipment_weeks') }}

),

software_weeks as (

    select * from {{ ref('int_projects__software_weeks') }}

),

there as (

    select
        tenant_id,
        contributor_id,
        {{ week_start('date_key') }} as week_start,
        sum(available_hours) as available_hours
    from contributor_days
    group by tenant_id, contributor_id, {{ week_start('date_key') }}

),

worked as (

    select
        tenant_id,
        contributor_id,
        {{ week_start('date_key') }} as week_start,
        sum(hours) as worked_hours
    from time_costs
    group by tenant_id, contributor_id, {{ week_start('date_key') }}

),

task_hours as (

    select
        tenant_id,
        task_id,
        sum(hours) as actual_hours
    from time_costs
    group by tenant_id, task_id

),

finished as (

    select
        tasks.tenant_id,
        tasks.contributor_id,
        {{ week_start('tasks.finished_on') }} as week_start,
        {{ rate('sum(tasks.estimated_hours)', 'sum(task_hours.actual_hours)') }} as efficiency
    from tasks
    inner join task_hours on tasks.tenant_id = task_hours.tenant_id and tasks.task_id = task_hours.task_id
    where tasks.finished_on is not null and tasks.estimated_hours is not null
    group by tasks.tenant_id, tasks.contributor_id, {{ week_start('tasks.finished_on') }}

),

resources as (

    select
        there.tenant_id,
        'CONTRIBUTOR' as resource_type,
        there.contributor_id as resource_id,
        there.week_start,
        weeks.is_complete,
        there.available_hours,
        coalesce(worked.worked_hours, 0) as utilized_hours,
        finished.efficiency
    from there
    inner join weeks on there.tenant_id = weeks.tenant_id and there.week_start = weeks.week_start
    left join worked
        on
            there.tenant_id = worked.tenant_id
            and there.contributor_id = worked.contributor_id
            and there.week_start = worked.week_start
    left join finished
        on
            there.tenant_id = finished.tenant_id
            and there.contributor_id = finished.contributor_id
            and there.week_start = finished.week_start

    union all

    select
        tenant_id,
        'EQUIPMENT' as resource_type,
        equipment_id as resource_id,
        week_start,
        is_complete,
        week_hours - maintenance_hours as available_hours,
        booked_hours as utilized_hours,
        cast(null as {{ type_numeric() }}) as efficiency
    from equipment_weeks

    union all

    select
        tenant_id,
        'SOFTWARE' as resource_type,
        software_id as resource_id,
        week_start,
        is_complete,
        licensed_hours as available_hours,
        used_hours as utilized_hours,
        cast(null as {{ type_numeric() }}) as efficiency
    from software_weeks

),

-- a week that is not over, and one without capacity (rule 117), have no rate
rated as (

    select
        *,
        case when is_complete then {{ rate('utilized_hours', 'available_hours') }} end as utilization_rate
    from resources

),

busy as (

    select
        *,
        {{ count_if('utilization_rate >= 0.95') }} over (
            partition by tenant_id, resource_type, resource_id
            order by week_start
            rows between 2 preceding and current row
        ) as busy_weeks,
        lag(week_start, 2) over (
            partition by tenant_id, resource_type, resource_id
            order by week_start
        ) as week_before_last
    from rated

),

final as (

    select
        tenant_id,
        resource_id,

        resource_type,
        week_start,

        available_hours as total_available_hours,
        utilized_hours as total_utilized_hours,
        utilization_rate,
        efficiency,

        busy_weeks = 3 and week_before_last = {{ add_days('week_start', -14) }} as bottleneck_indicator,
        is_complete
    from busy

)

select * from final
