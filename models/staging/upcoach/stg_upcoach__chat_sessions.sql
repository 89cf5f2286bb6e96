with source as (

    select * from {{ source('raw_cdc_upcoach', 'chat_sessions') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'chat_session', 'id') }} as chat_session_id,
        user_id,
        coach_id,

        persona,

        rating,

        started_at,
        ended_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
