with source as (

    select * from {{ source('raw_cdc_rostracore_history', 'shifts') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'shift', 'shift_id') }} as shift_id,
        {{ entity_uuid('rostracore', 'site', 'site_id') }} as site_id,

        required_skill,
        status,
        required_count,
        budget_amount,
        starts_at,
        ends_at,
        posted_at,

        version_number,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
