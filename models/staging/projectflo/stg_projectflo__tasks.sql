with source as (

    select * from {{ source('raw_cdc_projectflo', 'tasks') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'task', 'id') }} as task_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,
        {{ entity_uuid('projectflo', 'deliverable', 'deliverable_id') }} as deliverable_id,
        {{ entity_uuid('projectflo', 'contributor', 'contributor_id') }} as contributor_id,

        task_type,
        skill,
        status,

        estimated_hours,

        due_on,
        finished_on,
        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
