with source as (

    select * from {{ source('raw_cdc_rostracore_history', 'organizations') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,

        timezone,
        country_code,

        version_number,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
