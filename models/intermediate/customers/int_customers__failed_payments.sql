-- Attempts to collect that failed and were known on each Monday, by the customer whose they were by what was known
-- then.
with stripe_events as (

    select * from {{ ref('stg_stripe__events') }}
    where is_live and event_type = 'invoice.payment_failed'

),

revenuecat_events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION' and event_type = 'BILLING_ISSUE'

),

weeks as (

    select * from {{ ref('int_customers__weeks') }}

),

payers as (

    select * from {{ ref('int_customers__store_payers_as_of') }}

),

failures as (

    select
        weeks.as_of_at,
        stripe_events.product,
        stripe_events.account,
        stripe_events.event_id,
        stripe_events.customer_source_id,
        stripe_events.created_at as occurred_at,
        stripe_events.received_at
    from weeks
    inner join stripe_events on weeks.as_of_at >= stripe_events.received_at

    union all

    select
        weeks.as_of_at,
        revenuecat_events.product,
        revenuecat_events.project as account,
        revenuecat_events.event_id,
        coalesce(payers.payer_source_id, revenuecat_events.user_source_id) as customer_source_id,
        revenuecat_events.occurred_at,
        revenuecat_events.received_at
    from weeks
    inner join revenuecat_events on weeks.as_of_at >= revenuecat_events.received_at
    left join payers
        on
            weeks.as_of_at = payers.as_of_at
            and revenuecat_events.project = payers.account
            and revenuecat_events.user_source_id = payers.source_id

),

final as (

    select
        as_of_at,
        {{ entity_uuid('product', 'customer', "account || '|' || customer_source_id", true) }} as customer_id,
        account,
        customer_source_id,
        event_id,
        occurred_at,
        received_at
    from failures
    where customer_source_id is not null

)

select * from final
