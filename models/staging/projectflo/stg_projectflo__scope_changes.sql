with source as (

    select * from {{ source('raw_cdc_projectflo', 'scope_changes') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'scope_change', 'id') }} as scope_change_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,

        status,

        amount as change_amount,

        requested_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
