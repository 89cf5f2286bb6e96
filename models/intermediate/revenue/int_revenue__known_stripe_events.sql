-- In the form in which they were loaded, for staging to read.
with final as (

    {{ as_known(ref('int_revenue__known_records'), 'stripe', 'account', ref('stg_stripe__events'), [
        'event_id',
        'product',
        'load_id',
        'object_source_id as object_id',
        'customer_source_id as customer_id',
        'event_type',
        'object_type',
        'api_version',
        'payload',
        'is_live as livemode',
        'event_date',
        'created_at',
        'received_at',
    ]) }}

)

select * from final
