with source as (

    select * from {{ source('raw_events', 'events') }}

),

renamed as (

    select
        event_id,
        product,
        tenant_id,
        user_id,
        anonymous_id,
        session_id,

        source as tracker,
        event_name,
        event_domain,
        country_code,
        device_type,
        browser,
        properties,

        page_load_time_ms,
        schema_version,

        is_time_corrected,

        event_date,
        occurred_at,
        received_at,
        load_id
    from source

)

select * from renamed
