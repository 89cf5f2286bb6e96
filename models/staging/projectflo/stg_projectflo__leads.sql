with source as (

    select * from {{ source('raw_cdc_projectflo', 'leads') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'lead', 'id') }} as lead_id,
        {{ entity_uuid('projectflo', 'client', 'client_id') }} as client_id,

        full_name as full_name_token,
        email as email_token,
        channel,
        status,

        created_at,
        converted_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
