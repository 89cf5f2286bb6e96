{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}, {'columns': ['customer_id']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'notes': {'tenant_id': 'tenant_id', 'customer_id': 'customer_id'},
        'inside': ['subscription_id'],
        'through': ['int_revenue__subscription_states', 'int_revenue__due_states'],
    }},
) }}

{%- set constants = [
    'tenant_id', 'customer_id', 'user_id', 'status', 'plan', 'quantity', 'billing_interval', 'currency',
    'mrr_source_cents', 'plan_amounts', 'is_at_risk',
] -%}

-- States become intervals. What is known later but took effect earlier (an end, a refund) cuts what came
-- before it; access that runs out by as_of ends a subscription without any further event. States that
-- change nothing here merge. subscription_id holds product and account; a subscription that moves to
-- another tenant ends there and begins here.
-- What comes due by as_of alone is told by {{ ref('int_revenue__due_states') }}.
with states as (

    select * from {{ ref('int_revenue__subscription_states') }}
    -- what begins or ends by itself is foretold: until as_of nothing came of it
    where (not coalesce(is_by_itself, false) or effective_at <= {{ as_of() }}) and {{ is_affected('entity_key') }}

),

bounded as (

    select
        *,
        min(effective_at) over (
            partition by policy, product, provider, subscription_id
            order by state_number
            rows between 1 following and unbounded following
        ) as next_effective_at,
        case when access_until_at <= {{ as_of() }} then access_until_at end as ran_out_at
    from states

),

intervals as (

    select
        *,
        case
            when next_effective_at is null then ran_out_at
            when ran_out_at is null then next_effective_at
            else least(next_effective_at, ran_out_at)
        end as valid_to
    from bounded
    where not is_over

),

followed as (

    select
        *,
        {%- for column in constants %}
        lag({{ column }}) over same_subscription as previous_{{ column }},
        {%- endfor %}
        lag(valid_to) over same_subscription as previous_valid_to
    from intervals
    where valid_to is null or valid_to > effective_at
    window same_subscription as (
        partition by policy, product, provider, subscription_id
        order by effective_at, state_number
    )

),

compared as (

    select
        *,
        case
            when
                previous_valid_to = effective_at
                {%- for column in constants %}
                and (previous_{{ column }} = {{ column }} or coalesce(previous_{{ column }}, {{ column }}) is null)
                {%- endfor %}
                then 0
            else 1
        end as is_new_period
    from followed

),

numbered as (

    select
        *,
        sum(is_new_period) over (
            partition by policy, product, provider, subscription_id
            order by effective_at, state_number
            rows between unbounded preceding and current row
        ) as period_number
    from compared

),

final as (

    select
        policy,
        provider,
        product,
        tenant_id,
        user_id,
        customer_id,
        subscription_id,
        period_number,
        min(entity_key) as entity_key,
        status,
        plan,
        quantity,
        billing_interval,
        max(interval_count) as interval_count,
        currency,
        mrr_source_cents,
        plan_amounts,
        is_at_risk,
        min(effective_at) as valid_from,
        case when count(valid_to) = count(*) then max(valid_to) end as valid_to
    from numbered
    group by
        policy, provider, product, tenant_id, user_id, customer_id, subscription_id, period_number,
        status, plan, quantity, billing_interval, currency, mrr_source_cents, plan_amounts, is_at_risk

)

select * from final
