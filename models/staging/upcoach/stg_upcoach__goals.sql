with source as (

    select * from {{ source('raw_cdc_upcoach', 'goals') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'goal', 'id') }} as goal_id,
        user_id,

        status,

        created_at,
        target_date,
        completed_at,
        deleted_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
