with source as (

    select * from {{ source('raw_cdc_projectflo', 'projects') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'project', 'id') }} as project_id,
        {{ entity_uuid('projectflo', 'client', 'client_id') }} as client_id,
        {{ entity_uuid('projectflo', 'quote', 'quote_id') }} as quote_id,

        status,
        lower(currency) as currency,

        quoted_amount,
        estimated_hours,

        starts_on as started_on,
        due_on,
        delivered_on,
        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
