with work_days as (

    select * from {{ ref('int_workforce__work_days') }}
    where worked_seconds > 0

),

employees as (

    select * from {{ ref('dim_employee') }}

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

weeks as (

    select
        tenants.tenant_id,
        dates.date_key as week_start
    from tenants
    inner join dates
        on
            dates.date_key >= {{ week_start('tenants.first_date') }}
            and tenants.running_date >= dates.date_key
    where {{ iso_day_of_week('dates.date_key') }} = 1

),

-- who was employed on a day of the week could have worked in it
available as (

    select
        weeks.tenant_id,
        weeks.week_start,
        employees.employee_id
    from weeks
    inner join employees
        on
            weeks.tenant_id = employees.tenant_id
            and (employees.hired_on is null or {{ add_days('weeks.week_start', 6) }} >= employees.hired_on)
            and (employees.terminated_on is null or weeks.week_start <= employees.terminated_on)

),

worked as (

    select
        tenant_id,
        week_start,
        employee_id,
        sum(worked_seconds) / 3600 as hours,
        sum(overtime_seconds) / 3600 as overtime_hours,
        sum(night_seconds) / 3600 as night_hours,
        sum(weekend_seconds) / 3600 as weekend_hours,
        count(distinct shift_id) as shift_count
    from work_days
    group by tenant_id, week_start, employee_id

),

together as (

    select
        coalesce(available.tenant_id, worked.tenant_id) as tenant_id,
        coalesce(available.week_start, worked.week_start) as week_start,
        coalesce(available.employee_id, worked.employee_id) as employee_id,
        coalesce(worked.hours, 0) as hours,
        coalesce(worked.overtime_hours, 0) as overtime_hours,
        coalesce(worked.night_hours, 0) as night_hours,
        coalesce(worked.weekend_hours, 0) as weekend_hours,
        coalesce(worked.shift_count, 0) as shift_count
    from available
    full join worked
        on
            available.tenant_id = worked.tenant_id
            and available.week_start = worked.week_start
            and available.employee_id = worked.employee_id

),

shared as (

    select
        *,
        sum(hours) over (partition by tenant_id, week_start) as tenant_hours
    from together

),

final as (

    select
        shared.employee_id,
        shared.tenant_id,
        shared.week_start,

        shared.shift_count,
        round(shared.hours, 6) as hours,
        round(greatest(shared.overtime_hours, shared.hours - tenants.week_hours), 6) as overtime_hours,
        round(shared.night_hours, 6) as night_hours,
        round(shared.weekend_hours, 6) as weekend_hours,
        case
            when {{ add_days('shared.week_start', 7) }} <= tenants.running_date
                then {{ rate('shared.hours', 'shared.tenant_hours') }}
        end as share_of_tenant_hours,

        {{ add_days('shared.week_start', 7) }} <= tenants.running_date as is_complete
    from shared
    inner join tenants on shared.tenant_id = tenants.tenant_id

)

select * from final
