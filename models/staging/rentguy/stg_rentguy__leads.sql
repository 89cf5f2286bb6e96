with source as (

    select * from {{ source('raw_cdc_rentguy', 'leads') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'lead', 'id') }} as lead_id,
        {{ entity_uuid('rentguy', 'customer', 'customer_id') }} as customer_id,

        channel as raw_channel,
        email as email_token,
        phone as phone_token,

        created_at,
        qualified_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
