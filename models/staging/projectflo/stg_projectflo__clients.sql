with source as (

    select * from {{ source('raw_cdc_projectflo', 'clients') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'client', 'id') }} as client_id,

        name as client_name_token,
        email as email_token,
        phone as phone_token,
        country_code,
        industry,
        status,

        is_consented,

        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
