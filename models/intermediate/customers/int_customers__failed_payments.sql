-- Attempts to collect that failed, by customer.
with stripe_events as (

    select * from {{ ref('stg_stripe__events') }}
    where is_live and event_type = 'invoice.payment_failed'

),

revenuecat_events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION' and event_type = 'BILLING_ISSUE'

),

failures as (

    select
        product,
        account,
        event_id,
        customer_source_id,
        created_at as occurred_at,
        received_at
    from stripe_events

    union all

    select
        product,
        project as account,
        event_id,
        user_source_id as customer_source_id,
        occurred_at,
        received_at
    from revenuecat_events

),

final as (

    select
        {{ entity_uuid('product', 'customer', "account || '|' || customer_source_id", true) }} as customer_id,
        account,
        event_id,
        occurred_at,
        received_at
    from failures
    where customer_source_id is not null

)

select * from final
