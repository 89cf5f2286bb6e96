with source as (

    select * from {{ source('raw_cdc_rostracore', 'shifts') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'shift', 'shift_id') }} as shift_id,
        {{ entity_uuid('rostracore', 'site', 'site_id') }} as site_id,
        {{ entity_uuid('rostracore', 'roster', 'roster_id') }} as roster_id,

        required_skill,
        status,

        required_count,
        budget_amount,

        starts_at,
        ends_at,
        posted_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
