with source as (

    select * from {{ source('raw_cdc_rentguy', 'transports') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'transport', 'id') }} as transport_id,
        {{ entity_uuid('rentguy', 'booking', 'booking_id') }} as booking_id,

        direction,
        status,

        planned_departure_at,
        departed_at,
        arrived_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
