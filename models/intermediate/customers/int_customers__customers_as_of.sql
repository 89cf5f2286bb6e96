-- The paying customers of each Monday with the tenant and user that were known then. Stripe: those named on the
-- subscription, else on the customer. RevenueCat: the payer, whose ids known by then are resolved, is the user, and
-- the tenant the user's own, else the one that attributes named. Else the account and the customer stand for them.
with subscriptions as (

    select * from {{ ref('int_customers__subscriptions_as_of') }}

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live

),

user_versions as (

    select * from {{ ref('stg_upcoach__user_versions') }}

),

scopes as (

    select * from {{ ref('churn_activity_scopes') }}

),

user_tenants as (

    select
        user_id,
        {{ earliest_by('tenant_id', 'received_at, version_number') }} as tenant_id,
        min(received_at) as received_at
    from user_versions
    group by user_id

),

-- one row per customer: its subscriptions together, described by the one it pays longest
customers as (

    select
        as_of_at,
        provider,
        product,
        account,
        customer_id,
        customer_source_id,
        {{ earliest_by(
            'tenant_source_id',
            'case when tenant_source_id is null then 1 else 0 end, first_paid_at, subscription_id'
        ) }} as tenant_source_id,
        {{ earliest_by(
            'user_source_id',
            'case when user_source_id is null then 1 else 0 end, first_paid_at, subscription_id'
        ) }} as user_source_id,
        {{ earliest_by('plan', 'first_paid_at, subscription_id') }} as plan,
        {{ earliest_by('billing_interval', 'first_paid_at, subscription_id') }} as billing_interval,
        sum(quantity) as quantity,
        min(case when is_cancel_requested then 1 else 0 end) as is_cancel_requested,
        max(case when is_past_due then 1 else 0 end) as is_past_due,
        max(paid_until_at) as paid_until_at,
        min(first_paid_at) as first_paid_at
    from subscriptions
    group by as_of_at, provider, product, account, customer_id, customer_source_id

),

customer_names as (

    select
        customers.as_of_at,
        customers.customer_id,
        {{ earliest_by(
            'customer_events.tenant_source_id',
            'case when customer_events.tenant_source_id is null then 1 else 0 end, '
            ~ 'customer_events.created_at, customer_events.event_id'
        ) }} as tenant_source_id,
        {{ earliest_by(
            'customer_events.user_source_id',
            'case when customer_events.user_source_id is null then 1 else 0 end, '
            ~ 'customer_events.created_at, customer_events.event_id'
        ) }} as user_source_id
    from customers
    inner join customer_events
        on
            customers.account = customer_events.account
            and customers.customer_source_id = customer_events.customer_source_id
            and customers.as_of_at >= customer_events.received_at
    where customers.provider = 'stripe'
    group by customers.as_of_at, customers.customer_id

),

named as (

    select
        customers.*,
        coalesce(customers.tenant_source_id, customer_names.tenant_source_id) as named_tenant_source_id,
        {{ entity_uuid(
            'customers.product',
            'user',
            'coalesce(customers.user_source_id, customer_names.user_source_id, customers.customer_source_id)',
            true
        ) }} as user_id
    from customers
    left join customer_names
        on customers.as_of_at = customer_names.as_of_at and customers.customer_id = customer_names.customer_id

),

final as (

    select
        named.as_of_at,
        named.customer_id,
        coalesce(
            case when named.provider = 'revenuecat' then user_tenants.tenant_id end,
            {{ entity_uuid(
                'named.product', 'tenant', 'coalesce(named.named_tenant_source_id, named.account)', true
            ) }}
        ) as tenant_id,
        named.user_id,
        named.product,
        scopes.activity_scope,
        named.plan,
        named.billing_interval,
        named.quantity,
        named.is_cancel_requested,
        named.is_past_due,
        named.paid_until_at,
        named.first_paid_at
    from named
    inner join scopes on named.product = scopes.product
    left join user_tenants
        on
            named.user_id = user_tenants.user_id
            and named.as_of_at >= user_tenants.received_at

)

select * from final
