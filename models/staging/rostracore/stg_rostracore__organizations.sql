with source as (

    select * from {{ source('raw_cdc_rostracore', 'organizations') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,

        name as organization_name,
        region,
        country_code,
        timezone,
        lower(currency) as currency,
        industry,
        plan,
        size_band,

        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
