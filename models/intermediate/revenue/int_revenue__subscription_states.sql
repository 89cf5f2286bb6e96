{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'through': [
            'int_revenue__stripe_states',
            'int_revenue__stripe_owners',
            'int_revenue__revenuecat_states',
            'int_revenue__revenuecat_owners',
        ],
    }},
) }}

-- One ledger for both providers: every state a subscription was in, per policy, under the ids of the
-- warehouse. A provider's account is part of every key, so that two accounts never mix. What a store calls a
-- product has the plan's name by the seed plan_labels, as Stripe's plans have it already.
with stripe_states as (

    select * from {{ ref('int_revenue__stripe_states') }}
    where {{ is_affected('entity_key') }}

),

stripe_owners as (

    select * from {{ ref('int_revenue__stripe_owners') }}
    where {{ is_affected('entity_key') }}

),

revenuecat_states as (

    select * from {{ ref('int_revenue__revenuecat_states') }}
    where {{ is_affected('entity_key') }}

),

revenuecat_owners as (

    select * from {{ ref('int_revenue__revenuecat_owners') }}
    where {{ is_affected('entity_key') }}

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
        stripe_states.entity_key,
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
        stripe_states.plan_amounts,
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
        revenuecat_states.entity_key,
        revenuecat_owners.tenant_id,
        revenuecat_owners.user_id,
        revenuecat_states.customer_source_id,
        revenuecat_states.status,
        coalesce(plan_labels.plan_label, revenuecat_states.plan) as plan,
        revenuecat_states.quantity,
        revenuecat_states.billing_interval,
        revenuecat_states.interval_count,
        revenuecat_states.currency,
        revenuecat_states.mrr_source_cents,
        cast(null as {{ type_json() }}) as plan_amounts,
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
    left join plan_labels
        on revenuecat_states.product = plan_labels.product and revenuecat_states.plan = plan_labels.plan

),

final as (

    select
        policy,
        provider,
        product,
        tenant_id,
        user_id,
        {{ entity_uuid(
            'product', 'customer', "account || '|' || customer_source_id", true
        ) }} as customer_id,
        {{ entity_uuid(
            'product', 'subscription', "account || '|' || subscription_source_id", true
        ) }} as subscription_id,
        state_number,
        entity_key,
        status,
        plan,
        quantity,
        billing_interval,
        interval_count,
        currency,
        mrr_source_cents,
        plan_amounts,
        is_at_risk,
        is_over,
        effective_at,
        is_by_itself,
        access_until_at
    from states

)

select * from final
