with source as (

    select * from {{ source('raw_cdc_rentguy_history', 'transports') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'transport', 'id') }} as transport_id,

        version_number,

        planned_departure_at,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
