with source as (

    select * from {{ source('raw_cdc_rentguy', 'maintenance_windows') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'maintenance_window', 'id') }} as maintenance_window_id,
        {{ entity_uuid('rentguy', 'equipment', 'equipment_id') }} as equipment_id,

        kind,

        starts_at,
        ends_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
