with sites as (

    select * from {{ ref('stg_rostracore__sites') }}

),

final as (

    select
        site_id,
        tenant_id,

        site_name,
        region,
        required_skill,
        latitude,
        longitude,

        created_at
    from sites

)

select * from final
