-- The life of each piece of equipment up to as_of, cut wherever it goes into or out of service, maintenance
-- or a booking, and where a day begins in its tenant's time zone. Beginnings count up and ends count down, so
-- that any number of overlapping bookings make one.
with equipment as (

    select * from {{ ref('stg_rentguy__equipment') }}

),

maintenance_windows as (

    select * from {{ ref('stg_rentguy__maintenance_windows') }}

),

bookings as (

    select * from {{ ref('int_rental__bookings') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

in_service as (

    select
        equipment.tenant_id,
        equipment.equipment_id,
        coalesce(tenants.timezone, 'UTC') as timezone,
        equipment.acquired_at as starts_at,
        least(equipment.retired_at, {{ as_of() }}) as ends_at,
        {{ local_date('equipment.acquired_at', "coalesce(tenants.timezone, 'UTC')") }} as first_date,
        {{ local_date(
            'least(equipment.retired_at, ' ~ as_of() ~ ')', "coalesce(tenants.timezone, 'UTC')"
        ) }} as last_date
    from equipment
    left join tenants on equipment.tenant_id = tenants.tenant_id

),

stretches as (

    select
        tenant_id,
        equipment_id,
        starts_at,
        ends_at,
        1 as services,
        0 as maintenances,
        0 as bookings
    from in_service

    union all

    select
        tenant_id,
        equipment_id,
        starts_at,
        coalesce(ends_at, {{ as_of() }}) as ends_at,
        0 as services,
        1 as maintenances,
        0 as bookings
    from maintenance_windows

    union all

    select
        tenant_id,
        equipment_id,
        occupied_from_at as starts_at,
        coalesce(occupied_until_at, {{ as_of() }}) as ends_at,
        0 as services,
        0 as maintenances,
        1 as bookings
    from bookings

),

points as (

    select
        tenant_id,
        equipment_id,
        starts_at as point_at,
        services,
        maintenances,
        bookings
    from stretches
    where starts_at < ends_at

    union all

    select
        tenant_id,
        equipment_id,
        ends_at as point_at,
        -services as services,
        -maintenances as maintenances,
        -bookings as bookings
    from stretches
    where starts_at < ends_at

    union all

    select
        in_service.tenant_id,
        in_service.equipment_id,
        {{ day_start('dates.date_key', 'in_service.timezone') }} as point_at,
        0 as services,
        0 as maintenances,
        0 as bookings
    from in_service
    inner join dates
        on
            in_service.first_date < dates.date_key
            and in_service.last_date >= dates.date_key

),

moments as (

    select
        tenant_id,
        equipment_id,
        point_at,
        sum(services) as services,
        sum(maintenances) as maintenances,
        sum(bookings) as bookings
    from points
    group by tenant_id, equipment_id, point_at

),

running as (

    select
        tenant_id,
        equipment_id,
        point_at as starts_at,
        lead(point_at) over (partition by tenant_id, equipment_id order by point_at) as ends_at,
        sum(services) over (partition by tenant_id, equipment_id order by point_at) as services,
        sum(maintenances) over (partition by tenant_id, equipment_id order by point_at) as maintenances,
        sum(bookings) over (partition by tenant_id, equipment_id order by point_at) as bookings
    from moments

),

final as (

    select
        running.tenant_id,
        running.equipment_id,

        {{ seconds_between('running.starts_at', 'running.ends_at') }} as seconds,

        running.maintenances > 0 as is_in_maintenance,
        running.bookings > 0 as is_booked,

        {{ local_date('running.starts_at', 'in_service.timezone') }} as date_key,
        running.starts_at,
        running.ends_at
    from running
    inner join in_service
        on running.tenant_id = in_service.tenant_id and running.equipment_id = in_service.equipment_id
    where running.services > 0 and running.ends_at is not null

)

select * from final
