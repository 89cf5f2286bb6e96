with source as (

    select * from {{ source('raw_cdc_projectflo', 'time_entries') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'time_entry', 'id') }} as time_entry_id,
        {{ entity_uuid('projectflo', 'contributor', 'contributor_id') }} as contributor_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,
        {{ entity_uuid('projectflo', 'task', 'task_id') }} as task_id,

        hours,

        worked_on,
        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
