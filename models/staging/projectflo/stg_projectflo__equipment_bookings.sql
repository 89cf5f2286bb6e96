with source as (

    select * from {{ source('raw_cdc_projectflo', 'equipment_bookings') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'equipment_booking', 'id') }} as equipment_booking_id,
        {{ entity_uuid('projectflo', 'equipment', 'equipment_id') }} as equipment_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,

        kind,
        status,

        starts_at,
        ends_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
