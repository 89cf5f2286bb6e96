with source as (

    select * from {{ source('raw_cdc_upcoach', 'ai_nudges') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'ai_nudge', 'id') }} as nudge_id,
        user_id,

        persona,

        sent_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
