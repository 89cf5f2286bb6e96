with source as (

    select * from {{ source('raw_cdc_upcoach', 'mood_entries') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'mood_entry', 'id') }} as mood_entry_id,
        user_id,

        score,

        entered_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
