with source as (

    select * from {{ source('raw_cdc_rostracore', 'rosters') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'roster', 'roster_id') }} as roster_id,

        algorithm,
        status,

        shift_count,
        duration_seconds,
        violation_count,

        created_at,
        confirmed_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
