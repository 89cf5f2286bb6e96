with equipment as (

    select * from {{ ref('stg_rentguy__equipment') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

final as (

    select
        equipment.equipment_id,
        equipment.tenant_id,

        coalesce(nullif(lower(trim(equipment.category)), ''), 'unknown') as category,
        equipment.model,
        lower(trim(equipment.status)) as status,
        {{ local_date('equipment.acquired_at', "coalesce(tenants.timezone, 'UTC')") }} as acquired_on,
        {{ local_date('equipment.retired_at', "coalesce(tenants.timezone, 'UTC')") }} as retired_on,

        coalesce(
            equipment.acquired_at <= {{ as_of() }}
            and (equipment.retired_at is null or equipment.retired_at > {{ as_of() }}),
            false
        ) as is_in_service,

        equipment.acquired_at,
        equipment.retired_at
    from equipment
    left join tenants on equipment.tenant_id = tenants.tenant_id

)

select * from final
