with source as (

    select * from {{ source('raw_cdc_rentguy', 'payments') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'payment', 'id') }} as payment_id,
        {{ entity_uuid('rentguy', 'invoice', 'invoice_id') }} as invoice_id,
        {{ entity_uuid('rentguy', 'customer', 'customer_id') }} as customer_id,

        method,
        status,
        failure_reason,
        lower(currency) as currency,

        amount,

        attempted_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
