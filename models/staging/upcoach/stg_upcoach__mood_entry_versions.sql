with source as (

    select * from {{ source('raw_cdc_upcoach_history', 'mood_entries') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('upcoach', 'mood_entry', 'id') }} as mood_entry_id,
        user_id,

        score,
        entered_at,

        version_number,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
