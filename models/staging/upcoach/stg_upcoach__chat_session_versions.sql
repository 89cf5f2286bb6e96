with source as (

    select * from {{ source('raw_cdc_upcoach_history', 'chat_sessions') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'chat_session', 'id') }} as chat_session_id,
        user_id,

        rating,
        started_at,

        version_number,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
