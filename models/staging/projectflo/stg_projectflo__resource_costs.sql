with source as (

    select * from {{ source('raw_cdc_projectflo', 'resource_costs') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'resource_cost', 'id') }} as resource_cost_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,
        {{ entity_uuid('projectflo', 'deliverable', 'deliverable_id') }} as deliverable_id,

        cost_type,
        lower(currency) as currency,

        amount as cost_amount,

        incurred_on,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
