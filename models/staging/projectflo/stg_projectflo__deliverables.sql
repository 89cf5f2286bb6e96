with source as (

    select * from {{ source('raw_cdc_projectflo', 'deliverables') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'deliverable', 'id') }} as deliverable_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,

        deliverable_type,
        status,

        quoted_amount,

        due_on,
        delivered_on,
        accepted_on,
        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
