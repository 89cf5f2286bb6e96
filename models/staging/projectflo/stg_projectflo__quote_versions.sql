with source as (

    select * from {{ source('raw_cdc_projectflo_history', 'quotes') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'quote', 'id') }} as quote_id,
        {{ entity_uuid('projectflo', 'client', 'client_id') }} as client_id,

        stage,
        lower(currency) as currency,
        amount as quoted_amount,

        version_number,

        valid_from as committed_at,
        valid_to as replaced_at,
        _received_at as received_at
    from source

)

select * from renamed
