with source as (

    select * from {{ source('raw_cdc_projectflo', 'payments') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'payment', 'id') }} as payment_id,
        {{ entity_uuid('projectflo', 'invoice', 'invoice_id') }} as invoice_id,

        status,
        method,
        failure_reason,
        lower(currency) as currency,

        amount as paid_amount,

        attempted_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
