with source as (

    select * from {{ source('raw_cdc_rentguy', 'customers') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'customer', 'id') }} as customer_id,
        {{ entity_uuid('rentguy', 'lead', 'lead_id') }} as lead_id,

        name as customer_name_token,
        email as email_token,
        phone as phone_token,
        country_code,

        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
