-- How a roster's hours are planned to be shared among the guards who were there to take them: those employed on any
-- day on which its shifts begin, and whoever took a place.
with offers as (

    select * from {{ ref('int_workforce__offers') }}

),

shifts as (

    select * from {{ ref('int_workforce__shifts') }}
    where roster_id is not null and status <> 'cancelled'

),

employees as (

    select * from {{ ref('stg_rostracore__employees') }}

),

rosters as (

    select
        tenant_id,
        roster_id,
        min(date_key) as first_date,
        max(date_key) as last_date
    from shifts
    group by tenant_id, roster_id

),

hours as (

    select
        tenant_id,
        roster_id,
        employee_id,
        sum({{ seconds_between('starts_at', 'ends_at') }} / 3600) as planned_hours
    from offers
    where is_taken and roster_id is not null
    group by tenant_id, roster_id, employee_id

),

available as (

    select
        rosters.tenant_id,
        rosters.roster_id,
        employees.employee_id
    from rosters
    inner join employees
        on
            rosters.tenant_id = employees.tenant_id
            and (employees.hired_on is null or rosters.last_date >= employees.hired_on)
            and (employees.terminated_on is null or rosters.first_date <= employees.terminated_on)

),

final as (

    select
        coalesce(hours.tenant_id, available.tenant_id) as tenant_id,
        coalesce(hours.roster_id, available.roster_id) as roster_id,
        coalesce(hours.employee_id, available.employee_id) as employee_id,
        coalesce(hours.planned_hours, 0) as planned_hours
    from available
    full join hours
        on
            available.tenant_id = hours.tenant_id
            and available.roster_id = hours.roster_id
            and available.employee_id = hours.employee_id

)

select * from final
