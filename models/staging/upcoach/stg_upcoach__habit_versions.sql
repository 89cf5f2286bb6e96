with source as (

    select * from {{ source('raw_cdc_upcoach_history', 'habits') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'habit', 'id') }} as habit_id,
        user_id,

        cadence,

        version_number,

        is_deleted,

        created_at,
        archived_at,
        valid_from as committed_at,
        valid_to as replaced_at,
        _received_at as received_at
    from source

)

select * from renamed
