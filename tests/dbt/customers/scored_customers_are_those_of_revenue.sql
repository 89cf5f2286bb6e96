-- What was known by a Monday of whose a purchase is, the churn model knows as revenue does.
with subscriptions as (

    select * from {{ ref('int_customers__subscriptions_as_of') }}

),

customers as (

    select * from {{ ref('int_customers__customers_as_of') }}

),

store_events as (

    select * from {{ ref('stg_revenuecat__events') }}

),

payers as (

    select * from {{ ref('int_revenue__revenuecat_payers') }}

),

periods as (

    select * from {{ ref('fact_subscription_periods') }}
    where policy = 'standard' and mrr_source_cents > 0

),

newest as (

    select max(as_of_at) as as_of_at
    from customers

),

-- who signed in under which anonymous id, as an event by itself says
signed_in as (

    select
        project,
        original_user_source_id as anonymous_source_id,
        received_at
    from store_events
    where user_source_id not like '$RCAnonymousID:%'

    union all

    select
        store_events.project,
        replace(cast(alias.value as {{ type_string() }}), '"', '') as anonymous_source_id,
        store_events.received_at
    from store_events
    {{ json_array_lateral('store_events.aliases', none, 'alias') }}
    where store_events.user_source_id not like '$RCAnonymousID:%'

),

anonymous as (

    select distinct
        subscriptions.as_of_at,
        subscriptions.customer_id
    from subscriptions
    inner join signed_in
        on
            subscriptions.account = signed_in.project
            and subscriptions.customer_source_id = signed_in.anonymous_source_id
            and subscriptions.as_of_at >= signed_in.received_at
    where
        subscriptions.provider = 'revenuecat'
        and subscriptions.customer_source_id like '$RCAnonymousID:%'

),

-- of whom anything came after the newest Monday: revenue may rightly know better
told_late as (

    select
        events.account,
        events.customer_source_id,
        events.received_at
    from {{ ref('stg_stripe__subscription_events') }} as events

    union all

    select
        events.account,
        events.customer_source_id,
        events.received_at
    from {{ ref('stg_stripe__customer_events') }} as events

    union all

    select
        store_events.project as account,
        coalesce(payers.payer_source_id, store_events.user_source_id) as customer_source_id,
        store_events.received_at
    from store_events
    left join payers
        on store_events.project = payers.project and store_events.user_source_id = payers.source_id

    union all

    select
        subscriptions.account,
        subscriptions.customer_source_id,
        versions.received_at
    from subscriptions
    inner join newest on subscriptions.as_of_at = newest.as_of_at
    inner join customers
        on
            subscriptions.as_of_at = customers.as_of_at
            and subscriptions.customer_id = customers.customer_id
    inner join {{ ref('stg_upcoach__user_versions') }} as versions
        on customers.product = versions.product and customers.user_id = versions.user_id

),

late_customers as (

    select distinct subscriptions.customer_id
    from subscriptions
    inner join newest on subscriptions.as_of_at = newest.as_of_at
    inner join told_late
        on
            subscriptions.account = told_late.account
            and subscriptions.customer_source_id = told_late.customer_source_id
            and subscriptions.as_of_at < told_late.received_at

),

misplaced as (

    select distinct
        customers.as_of_at,
        customers.customer_id
    from customers
    inner join newest on customers.as_of_at = newest.as_of_at
    inner join periods
        on
            customers.customer_id = periods.customer_id
            and customers.as_of_at >= periods.valid_from
            and (periods.valid_to is null or customers.as_of_at < periods.valid_to)
    left join late_customers on customers.customer_id = late_customers.customer_id
    where customers.tenant_id <> periods.tenant_id and late_customers.customer_id is null

)

select
    'anonymous though known' as fault,
    as_of_at,
    customer_id
from anonymous

union all

select
    'in another tenant than in revenue' as fault,
    as_of_at,
    customer_id
from misplaced
