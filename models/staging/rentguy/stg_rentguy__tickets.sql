with source as (

    select * from {{ source('raw_cdc_rentguy', 'tickets') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'ticket', 'id') }} as ticket_id,
        {{ entity_uuid('rentguy', 'customer', 'customer_id') }} as customer_id,

        priority,
        status,

        opened_at,
        first_response_at,
        resolved_at,
        reopened_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
