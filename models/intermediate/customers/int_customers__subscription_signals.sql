-- What each webhook says about a subscription, taken by itself: no other event is looked at, so that what
-- was known at any instant can be read off by received_at.
with stripe_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}
    where is_live

),

stripe_amounts as (

    select
        account,
        event_id,
        {{ earliest_by('plan', 'item_position') }} as plan,
        {{ earliest_by('billing_interval', 'item_position') }} as billing_interval,
        sum(quantity) as quantity,
        sum(amount_source_cents) as amount_source_cents
    from {{ ref('int_revenue__stripe_item_amounts') }}
    group by account, event_id

),

revenuecat_events as (

    select
        *,
        {{ seconds_between('purchased_at', 'expires_at') }} / 86400 as period_days
    from {{ ref('stg_revenuecat__events') }}
    where
        environment = 'PRODUCTION'
        and subscription_source_id is not null
        and user_source_id is not null
        and event_type in (
            'INITIAL_PURCHASE', 'RENEWAL', 'CANCELLATION', 'UNCANCELLATION', 'BILLING_ISSUE',
            'SUBSCRIPTION_EXTENDED', 'EXPIRATION'
        )

),

signals as (

    select
        'stripe' as provider,
        stripe_events.product,
        stripe_events.account,
        stripe_events.event_id,
        stripe_events.subscription_source_id,
        stripe_events.customer_source_id,
        stripe_events.tenant_source_id,
        stripe_events.user_source_id,
        stripe_amounts.plan,
        stripe_amounts.billing_interval,
        stripe_amounts.quantity,
        stripe_events.status in ('active', 'past_due')
        and not stripe_events.is_paused
        and stripe_amounts.amount_source_cents > 0 as is_paying,
        stripe_events.is_cancelled_at_period_end as is_cancel_requested,
        stripe_events.status = 'past_due' as is_past_due,
        stripe_events.current_period_ends_at as paid_until_at,
        cast(null as {{ type_timestamp() }}) as access_until_at,
        case stripe_events.event_type
            when 'customer.subscription.created' then 0
            when 'customer.subscription.deleted' then 2
            else 1
        end as tie_order,
        stripe_events.created_at as occurred_at,
        stripe_events.received_at
    from stripe_events
    left join stripe_amounts
        on stripe_events.account = stripe_amounts.account and stripe_events.event_id = stripe_amounts.event_id

    union all

    select
        'revenuecat' as provider,
        product,
        project as account,
        event_id,
        subscription_source_id,
        user_source_id as customer_source_id,
        tenant_source_id,
        user_source_id,
        store_product_id as plan,
        case
            when period_days >= 350 then 'year'
            when period_days >= 27 then 'month'
            else 'week'
        end as billing_interval,
        1 as quantity,
        event_type <> 'EXPIRATION'
        and coalesce(period_type, 'NORMAL') not in ('TRIAL', 'PROMOTIONAL')
        and coalesce(store, '') <> 'PROMOTIONAL'
        and not is_family_share
        -- a refund ends access, and so does a period without length
        and coalesce(price_usd, 0) >= 0
        and coalesce(period_days, 1) > 0 as is_paying,
        event_type = 'CANCELLATION' and coalesce(reason, '') <> 'BILLING_ERROR' as is_cancel_requested,
        event_type = 'BILLING_ISSUE'
        or (event_type = 'CANCELLATION' and coalesce(reason, '') = 'BILLING_ERROR') as is_past_due,
        expires_at as paid_until_at,
        greatest(expires_at, coalesce(grace_expires_at, expires_at)) as access_until_at,
        case
            when event_type in ('INITIAL_PURCHASE', 'RENEWAL') then 0
            when event_type = 'EXPIRATION' then 2
            else 1
        end as tie_order,
        occurred_at,
        received_at
    from revenuecat_events

),

scopes as (

    select * from {{ ref('churn_activity_scopes') }}

),

plan_labels as (

    select * from {{ ref('plan_labels') }}

),

final as (

    select
        signals.provider,
        signals.product,
        signals.account,
        signals.event_id,
        signals.subscription_source_id,
        signals.customer_source_id,
        signals.tenant_source_id,
        signals.user_source_id,
        -- one plan has one name, whoever sold it
        coalesce(plan_labels.plan_label, signals.plan) as plan,
        signals.billing_interval,
        signals.quantity,
        signals.is_paying,
        signals.is_cancel_requested,
        signals.is_past_due,
        signals.paid_until_at,
        signals.access_until_at,
        signals.tie_order,
        signals.occurred_at,
        signals.received_at,
        {{ entity_uuid(
            'signals.product',
            'subscription',
            "signals.account || '|' || signals.subscription_source_id",
            true
        ) }} as subscription_id
    from signals
    inner join scopes on signals.product = scopes.product
    left join plan_labels on signals.product = plan_labels.product and signals.plan = plan_labels.plan

)

select * from final
