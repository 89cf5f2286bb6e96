with source as (

    select * from {{ source('raw_cdc_rentguy', 'equipment') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'equipment', 'id') }} as equipment_id,

        category,
        model,
        status,

        acquired_at,
        retired_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
