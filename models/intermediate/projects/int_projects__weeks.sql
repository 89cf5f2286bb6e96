-- ISO weeks of each studio in its own time zone, from the first in which anything was worked, booked or licensed to the
-- running one. A week in which the clock changes has 167 or 169 hours.
with tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

dates as (

    select * from {{ ref('dim_date') }}
    where iso_day_of_week = 1

),

began as (

    select
        tenant_id,
        worked_on as began_on
    from {{ ref('stg_projectflo__time_entries') }}

    union all

    select
        bookings.tenant_id,
        {{ local_date('bookings.starts_at', 'tenants.timezone') }} as began_on
    from {{ ref('stg_projectflo__equipment_bookings') }} as bookings
    inner join tenants on bookings.tenant_id = tenants.tenant_id

),

first_days as (

    select
        tenant_id,
        min(began_on) as first_on
    from began
    group by tenant_id

),

final as (

    select
        tenants.tenant_id,

        dates.date_key as week_start,
        {{ rate(
            seconds_between(
                day_start('dates.date_key', 'tenants.timezone'),
                day_start(add_days('dates.date_key', 7), 'tenants.timezone')
            ),
            '3600'
        ) }} as week_hours,

        {{ add_days('dates.date_key', 7) }} <= tenants.running_date as is_complete,

        {{ day_start('dates.date_key', 'tenants.timezone') }} as starts_at,
        {{ day_start(add_days('dates.date_key', 7), 'tenants.timezone') }} as ends_at
    from tenants
    inner join first_days on tenants.tenant_id = first_days.tenant_id
    inner join dates
        on
            {{ add_days('first_days.first_on', -7) }} < dates.date_key
            and tenants.running_date >= dates.date_key

)

select * from final
