with source as (

    select * from {{ source('raw_cdc_projectflo', 'quotes') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'quote', 'id') }} as quote_id,
        {{ entity_uuid('projectflo', 'client', 'client_id') }} as client_id,
        {{ entity_uuid('projectflo', 'lead', 'lead_id') }} as lead_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,

        stage,
        lower(currency) as currency,

        amount as quoted_amount,

        created_at,
        sent_at,
        accepted_at,
        declined_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
