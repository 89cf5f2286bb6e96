with stretches as (

    select * from {{ ref('int_rental__equipment_stretches') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

days as (

    select
        tenant_id,
        equipment_id,
        date_key,
        coalesce({{ sum_if('not is_in_maintenance', 'seconds') }}, 0) as available_seconds,
        coalesce({{ sum_if('is_booked and not is_in_maintenance', 'seconds') }}, 0) as booked_seconds,
        coalesce({{ sum_if('is_in_maintenance', 'seconds') }}, 0) as maintenance_seconds
    from stretches
    group by tenant_id, equipment_id, date_key

),

final as (

    select
        days.equipment_id,
        days.tenant_id,
        days.date_key,

        {{ rate('days.available_seconds', 3600) }} as available_hours,
        {{ rate('days.booked_seconds', 3600) }} as booked_hours,
        {{ rate('days.maintenance_seconds', 3600) }} as maintenance_hours,

        days.date_key < {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }} as is_complete
    from days
    left join tenants on days.tenant_id = tenants.tenant_id

)

select * from final
