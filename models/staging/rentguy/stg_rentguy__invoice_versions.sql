with source as (

    select * from {{ source('raw_cdc_rentguy_history', 'invoices') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'invoice', 'id') }} as invoice_id,
        {{ entity_uuid('rentguy', 'customer', 'customer_id') }} as customer_id,
        {{ entity_uuid('rentguy', 'booking', 'booking_id') }} as booking_id,
        {{ entity_uuid('rentguy', 'invoice', 'credited_invoice_id') }} as credited_invoice_id,

        kind,
        status,
        lower(currency) as currency,
        version_number,

        net_amount,
        tax_amount,

        is_deleted,

        issued_at,
        due_on,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
