with source as (

    select * from {{ source('raw_cdc_rostracore', 'certifications') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'certification', 'certification_id') }} as certification_id,
        {{ entity_uuid('rostracore', 'employee', 'employee_id') }} as employee_id,

        kind,

        issued_on,
        expires_on,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
