with source as (

    select * from {{ source('raw_cdc_rentguy_history', 'nps_responses') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'nps_response', 'id') }} as nps_response_id,

        version_number,

        score,

        responded_at,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
