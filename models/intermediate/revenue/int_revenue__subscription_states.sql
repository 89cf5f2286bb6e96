-- One ledger for both providers: every state a subscription was in, per policy, under the ids of the
-- warehouse. A provider's account is part of every key, so that two accounts never mix. What one provider calls a
-- plan and another a store product has one name by the seed plan_labels.
with stripe_states as (

    select * from {{ ref('int_revenue__stripe_states') }}

),

stripe_owners as (

    select * from {{ ref('int_revenue__stripe_owners') }}

),

revenuecat_states as (

    select * from {{ ref('int_revenue__revenuecat_states') }}

),

revenuecat_owners as (

    select * from {{ ref('int_revenue__revenuecat_owners') }}

),

plan_labels as (

    select * from {{ ref('plan_labels') }}

),

states as (

    select
        stripe_states.policy,
        stripe_states.provider,
        stripe_states.product,
        stripe_states.account,
        stripe_states.subscription_source_id,
        stripe_states.state_number,
        {{ entity_uuid(
            'stripe_states.product', 'tenant', 'stripe_owners.tenant_source_id', true
        ) }} as tenant_id,
        {{ entity_uuid('stripe_states.product', 'user', 'stripe_owners.user_source_id', true) }} as user_id,
        stripe_owners.customer_source_id,
        stripe_states.status,
        stripe_states.plan,
        stripe_states.quantity,
        stripe_states.billing_interval,
        stripe_states.interval_count,
        stripe_states.currency,
        stripe_states.mrr_source_cents,
        stripe_states.is_at_risk,
        stripe_states.is_over,
        stripe_states.effective_at,
        stripe_states.is_by_itself,
        stripe_states.access_until_at
    from stripe_states
    inner join stripe_owners
        on
            stripe_states.account = stripe_owners.account
            and stripe_states.subscription_source_id = stripe_owners.subscription_source_id

    union all

    select
        revenuecat_states.policy,
        revenuecat_states.provider,
        revenuecat_states.product,
        revenuecat_states.account,
        revenuecat_states.subscription_source_id,
        revenuecat_states.state_number,
        revenuecat_owners.tenant_id,
        revenuecat_owners.user_id,
        revenuecat_states.customer_source_id,
        revenuecat_states.status,
        revenuecat_states.plan,
        revenuecat_states.quantity,
        revenuecat_states.billing_interval,
        revenuecat_states.interval_count,
        revenuecat_states.currency,
        revenuecat_states.mrr_source_cents,
        revenuecat_states.is_at_risk,
        revenuecat_states.is_over,
        revenuecat_states.effective_at,
        false as is_by_itself,
        revenuecat_states.access_until_at
    from revenuecat_states
    inner join revenuecat_owners
        on
            revenuecat_states.account = revenuecat_owners.project
            and revenuecat_states.customer_source_id = revenuecat_owners.payer_source_id

),

final as (

    select
        states.policy,
        states.provider,
        states.product,
        states.tenant_id,
        states.user_id,
        {{ entity_uuid(
            'states.product', 'customer', "states.account || '|' || states.customer_source_id", true
        ) }} as customer_id,
        {{ entity_uuid(
            'states.product', 'subscription', "states.account || '|' || states.subscription_source_id", true
        ) }} as subscription_id,
        states.state_number,
        states.status,
        coalesce(plan_labels.plan_label, states.plan) as plan,
        states.quantity,
        states.billing_interval,
        states.interval_count,
        states.currency,
        states.mrr_source_cents,
        states.is_at_risk,
        states.is_over,
        states.effective_at,
        states.is_by_itself,
        states.access_until_at
    from states
    left join plan_labels on states.product = plan_labels.product and states.plan = plan_labels.plan

)

select * from final
