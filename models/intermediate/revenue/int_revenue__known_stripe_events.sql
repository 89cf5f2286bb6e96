-- In the form in which they were loaded, for staging to read.
with events as (

    select
        *,
        'stripe|' || account || '|' || event_id as event_key
    from {{ ref('stg_stripe__events') }}

),

records as (

    select * from {{ ref('int_revenue__known_records') }}
    where provider = 'stripe'

),

final as (

    select
        records.known_account as account,
        events.event_id,
        events.product,
        events.load_id,
        events.object_source_id as object_id,
        events.customer_source_id as customer_id,
        events.event_type,
        events.object_type,
        events.api_version,
        events.payload,
        events.is_live as livemode,
        events.event_date,
        events.created_at,
        events.received_at
    from records
    inner join events on records.event_key = events.event_key

)

select * from final
