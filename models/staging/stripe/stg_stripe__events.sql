with source as (

    select * from {{ source('stripe', 'events') }}

),

final as (

    select
        account,
        event_id,
        product,
        load_id,
        object_id as object_source_id,
        customer_id as customer_source_id,
        event_type,
        object_type,
        api_version,
        payload,
        livemode as is_live,
        event_date,
        created_at,
        received_at
    from source

)

select * from final
