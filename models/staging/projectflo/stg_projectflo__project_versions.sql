with source as (

    select * from {{ source('raw_cdc_projectflo_history', 'projects') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'project', 'id') }} as project_id,

        due_on,

        version_number,

        valid_from as committed_at,
        valid_to as replaced_at,
        _received_at as received_at
    from source

)

select * from renamed
