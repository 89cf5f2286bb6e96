with source as (

    select * from {{ source('raw_cdc_upcoach', 'tasks') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'task', 'id') }} as task_id,
        user_id,
        {{ entity_uuid('upcoach', 'goal', 'goal_id') }} as goal_id,

        status,

        created_at,
        completed_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
