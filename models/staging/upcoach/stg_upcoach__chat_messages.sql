with source as (

    select * from {{ source('raw_cdc_upcoach', 'chat_messages') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'chat_message', 'id') }} as chat_message_id,
        {{ entity_uuid('upcoach', 'chat_session', 'chat_session_id') }} as chat_session_id,
        sender_id,

        sender_role,

        sent_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
