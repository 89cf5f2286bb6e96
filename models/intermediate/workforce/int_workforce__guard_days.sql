-- The guards of a tenant on each local day: how many are employed, how many are at work and how long, and how unevenly
-- the hours of the seven days that end then are shared among those who were employed, or worked, in them.
{%- set days_back = 6 %}

with work_days as (

    select * from {{ ref('int_workforce__work_days') }}
    where worked_seconds > 0

),

-- who left before the first day never was employed
employees as (

    select * from {{ ref('stg_rostracore__employees') }}
    where hired_on is null or terminated_on is null or hired_on <= terminated_on

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

days as (

    select
        tenants.tenant_id,
        dates.date_key
    from tenants
    inner join dates on tenants.first_date <= dates.date_key and tenants.running_date >= dates.date_key

),

-- employees count up on the day they are hired and down when they are gone, so that a day costs a sum
moves as (

    select
        employees.tenant_id,
        greatest(coalesce(employees.hired_on, tenants.first_date), tenants.first_date) as date_key,
        1 as employed_move,
        1 as recent_move
    from employees
    inner join tenants on employees.tenant_id = tenants.tenant_id
    where
        employees.terminated_on is null
        or employees.terminated_on >= {{ add_days('tenants.first_date', -days_back) }}

    union all

    -- who left in the days before the first one is recent there, but not employed
    select
        employees.tenant_id,
        greatest({{ add_days('employees.terminated_on', 1) }}, tenants.first_date) as date_key,
        -1 as employed_move,
        0 as recent_move
    from employees
    inner join tenants on employees.tenant_id = tenants.tenant_id
    where employees.terminated_on >= {{ add_days('tenants.first_date', -days_back) }}

    union all

    select
        employees.tenant_id,
        {{ add_days('employees.terminated_on', days_back + 1) }} as date_key,
        0 as employed_move,
        -1 as recent_move
    from employees
    inner join tenants on employees.tenant_id = tenants.tenant_id
    where employees.terminated_on >= {{ add_days('tenants.first_date', -days_back) }}

),

moved as (

    select
        tenant_id,
        date_key,
        sum(employed_move) as employed_move,
        sum(recent_move) as recent_move
    from moves
    group by tenant_id, date_key

),

employed as (

    select
        days.tenant_id,
        days.date_key,
        sum(coalesce(moved.employed_move, 0)) over (
            partition by days.tenant_id order by days.date_key
        ) as employed_guards,
        sum(coalesce(moved.recent_move, 0)) over (
            partition by days.tenant_id order by days.date_key
        ) as recent_guards
    from days
    left join moved on days.tenant_id = moved.tenant_id and days.date_key = moved.date_key

),

worked as (

    select
        tenant_id,
        date_key,
        employee_id,
        sum(worked_seconds) / 3600 as hours
    from work_days
    group by tenant_id, date_key, employee_id

),

at_work as (

    select
        tenant_id,
        date_key,
        count(*) as active_guards,
        sum(hours) as worked_hours
    from worked
    group by tenant_id, date_key

),

offsets as (

    {% for offset in range(days_back + 1) %}
    select {{ offset }} as day_offset
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

-- each day's hours count on it and on the six after it
recent as (

    select
        worked.tenant_id,
        {{ add_days('worked.date_key', 'offsets.day_offset') }} as date_key,
        worked.employee_id,
        sum(worked.hours) as hours
    from worked
    cross join offsets
    group by worked.tenant_id, {{ add_days('worked.date_key', 'offsets.day_offset') }}, worked.employee_id

),

-- who worked without being employed in these days counts among the guards all the same
counted as (

    select
        recent.tenant_id,
        recent.date_key,
        recent.hours,
        employed.recent_guards + sum(
            case
                when
                    employees.employee_id is not null
                    and (employees.hired_on is null or employees.hired_on <= recent.date_key)
                    and (
                        employees.terminated_on is null
                        or employees.terminated_on >= {{ add_days('recent.date_key', -days_back) }}
                    )
                    then 0
                else 1
            end
        ) over (partition by recent.tenant_id, recent.date_key) as guard_count,
        count(*) over (partition by recent.tenant_id, recent.date_key) as worker_count,
        row_number() over (
            partition by recent.tenant_id, recent.date_key order by recent.hours, recent.employee_id
        ) as worker_rank
    from recent
    inner join employed on recent.tenant_id = employed.tenant_id and recent.date_key = employed.date_key
    left join employees
        on recent.tenant_id = employees.tenant_id and recent.employee_id = employees.employee_id

),

shared as (

    select
        tenant_id,
        date_key,
        {{ gini('hours', 'guard_count - worker_count + worker_rank', 'guard_count') }} as fairness_gini
    from counted
    group by tenant_id, date_key, guard_count

),

final as (

    select
        employed.tenant_id,
        employed.date_key,
        cast(employed.employed_guards as bigint) as employed_guards,
        coalesce(at_work.active_guards, 0) as active_guards,
        coalesce(at_work.worked_hours, 0) as worked_hours,
        case
            when shared.date_key is not null then shared.fairness_gini
            when employed.recent_guards > 0 then 0
        end as fairness_gini
    from employed
    left join at_work on employed.tenant_id = at_work.tenant_id and employed.date_key = at_work.date_key
    left join shared on employed.tenant_id = shared.tenant_id and employed.date_key = shared.date_key

)

select * from final
