{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {'key': ['entity_key'], 'within': 'account'}},
) }}

-- Changes of a customer by plan, and whether it began or ceased to pay for the plan with one. Users may share a
-- customer; of such a one the mart says it country by country.
with changes as (

    select
        *,
        coalesce(plan, 'unknown') as plan_name,
        coalesce(cast(user_id as {{ type_string() }}), 'nobody') as user_name
    from {{ ref('int_revenue__mrr_changes') }}
    where {{ is_affected('entity_key') }} and {{ is_published_policy() }}

),

-- what no source names may stand beside a plan of that name
plan_changes as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        user_id,
        user_name,
        plan_name as plan,
        currency,
        cast(sum(change_source_cents) as {{ type_money() }}) as change_source_cents,
        occurred_at
    from changes
    group by
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        user_id,
        user_name,
        plan_name,
        currency,
        occurred_at
    having sum(change_source_cents) <> 0

),

final as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        user_id,
        plan,
        currency,
        change_source_cents,
        {{ paying_customers_change(
            ['customer_id', 'plan', 'policy', 'provider', 'product', 'tenant_id', 'entity_key'],
            'user_name'
        ) }} as customers_change,
        min(user_name) over (
            partition by customer_id, plan, policy, provider, product, tenant_id, entity_key
        ) <> max(user_name) over (
            partition by customer_id, plan, policy, provider, product, tenant_id, entity_key
        ) as is_shared,
        occurred_at
    from plan_changes

)

select * from final
