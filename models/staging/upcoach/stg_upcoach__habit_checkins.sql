with source as (

    select * from {{ source('raw_cdc_upcoach', 'habit_checkins') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'habit', 'habit_id') }} as habit_id,
        user_id,

        count as checkin_count,

        day as checkin_date,
        checked_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
