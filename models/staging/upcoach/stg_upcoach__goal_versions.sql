with source as (

    select * from {{ source('raw_cdc_upcoach_history', 'goals') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'goal', 'id') }} as goal_id,
        user_id,

        status,
        created_at,
        completed_at,
        deleted_at,

        version_number,

        is_deleted,

        valid_from as committed_at,
        valid_to as replaced_at,
        _received_at as received_at
    from source

)

select * from renamed
