with equipment_days as (

    select * from {{ ref('fact_equipment_days') }}

),

equipment as (

    select * from {{ ref('dim_equipment') }}

),

counted as (

    select
        equipment_days.date_key as metric_date,
        equipment_days.tenant_id,
        equipment.category,
        count(*) as equipment_count,
        sum(equipment_days.available_hours) as available_hours,
        sum(equipment_days.booked_hours) as booked_hours,
        sum(equipment_days.maintenance_hours) as maintenance_hours,
        {{ count_if('not equipment_days.is_complete') }} = 0 as is_complete
    from equipment_days
    inner join equipment
        on
            equipment_days.tenant_id = equipment.tenant_id
            and equipment_days.equipment_id = equipment.equipment_id
    group by equipment_days.date_key, equipment_days.tenant_id, equipment.category

),

final as (

    select
        metric_date,
        tenant_id,
        category,

        equipment_count,
        available_hours,
        booked_hours,
        maintenance_hours,
        case when is_complete then {{ rate('booked_hours', 'available_hours') }} end as equipment_utilisation_rate,

        is_complete
    from counted

)

select * from final
