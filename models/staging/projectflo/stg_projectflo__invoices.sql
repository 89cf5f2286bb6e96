with source as (

    select * from {{ source('raw_cdc_projectflo', 'invoices') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'invoice', 'id') }} as invoice_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,
        {{ entity_uuid('projectflo', 'client', 'client_id') }} as client_id,
        {{ entity_uuid('projectflo', 'invoice', 'credited_invoice_id') }} as credited_invoice_id,

        kind,
        status,
        lower(currency) as currency,

        net_amount,
        tax_amount,

        issued_at,
        due_on,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
