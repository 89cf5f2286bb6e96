with source as (

    select * from {{ source('raw_cdc_rentguy_history', 'tickets') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'ticket', 'id') }} as ticket_id,

        version_number,

        first_response_at,
        resolved_at,
        reopened_at,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
