with source as (

    select * from {{ source('raw_cdc_rentguy', 'nps_responses') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'nps_response', 'id') }} as nps_response_id,
        {{ entity_uuid('rentguy', 'customer', 'customer_id') }} as customer_id,

        score,

        responded_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
