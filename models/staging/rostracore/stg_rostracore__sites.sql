with source as (

    select * from {{ source('raw_cdc_rostracore', 'sites') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'site', 'site_id') }} as site_id,

        name as site_name,
        region,
        required_skill,

        latitude,
        longitude,

        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
