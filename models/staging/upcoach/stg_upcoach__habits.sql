with source as (

    select * from {{ source('raw_cdc_upcoach', 'habits') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'habit', 'id') }} as habit_id,
        user_id,

        cadence,

        weight,

        created_at,
        archived_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
