with source as (

    select * from {{ source('raw_cdc_upcoach_history', 'habit_checkins') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'habit', 'habit_id') }} as habit_id,
        user_id,

        day as checkin_date,

        version_number,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
