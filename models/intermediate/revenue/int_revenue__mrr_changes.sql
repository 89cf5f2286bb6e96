{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'by': 'customers_of_rated_products',
        'through': ['int_revenue__subscription_periods', 'int_revenue__products_without_rate'],
    }},
) }}

-- Changes of a customer's recurring revenue, netted: what happens to one customer within
-- mrr_netting_minutes of the previous change is one change, dated by its first. One row per customer, change,
-- currency, plan and user. A swap of plans at the same price moves no revenue of the customer; it is dated as it
-- happened, or with the change that was under way.
with unrated as (

    select distinct product
    from {{ ref('int_revenue__products_without_rate') }}

),

periods as (

    select periods.*
    from {{ ref('int_revenue__subscription_periods') }} as periods
    left join unrated on periods.product = unrated.product
    where
        periods.mrr_source_cents > 0
        and unrated.product is null
        and {{ is_affected('periods.entity_key') }}

),

plan_periods as (

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
        mrr_source_cents,
        valid_from,
        valid_to
    from periods
    where plan_amounts is null

    union all

    select
        periods.policy,
        periods.provider,
        periods.product,
        periods.tenant_id,
        periods.customer_id,
        periods.entity_key,
        periods.user_id,
        {{ json_text('entry.value', 'plan') }} as plan,
        periods.currency,
        {{ json_number('entry.value', 'mrr_source_cents') }} as mrr_source_cents,
        periods.valid_from,
        periods.valid_to
    from periods
    {{ json_array_lateral('periods.plan_amounts', none, 'entry') }}

),

edges as (

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
        valid_from as changed_at,
        mrr_source_cents as change_source_cents
    from plan_periods

    union all

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
        valid_to as changed_at,
        -mrr_source_cents as change_source_cents
    from plan_periods
    where valid_to is not null

),

instants as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        currency,
        changed_at,
        sum(change_source_cents) as change_source_cents
    from edges
    group by policy, provider, product, tenant_id, customer_id, currency, changed_at

),

-- an instant that moves nothing in any currency neither begins nor prolongs a change
moments as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        changed_at,
        max(case when change_source_cents <> 0 then 1 else 0 end) = 1 as is_change
    from instants
    group by policy, provider, product, tenant_id, customer_id, changed_at

),

followed as (

    select
        *,
        max(case when is_change then changed_at end) over (
            partition by policy, provider, product, tenant_id, customer_id
            order by changed_at
            rows between unbounded preceding and 1 preceding
        ) as previous_changed_at
    from moments

),

timed as (

    select
        *,
        {{ seconds_between('previous_changed_at', 'changed_at') }} as seconds_since_previous
    from followed

),

grouped as (

    select
        *,
        sum(
            case
                when not is_change or seconds_since_previous <= 60 * {{ var('mrr_netting_minutes', 60) }} then 0
                else 1
            end
        ) over (
            partition by policy, provider, product, tenant_id, customer_id
            order by changed_at
            rows between unbounded preceding and current row
        ) as group_number
    from timed

),

dated as (

    select
        *,
        case
            when is_change then min(case when is_change then changed_at end) over (
                partition by policy, provider, product, tenant_id, customer_id, group_number
            )
        end as group_changed_at
    from grouped

),

-- a swap of plans lies within a change where the changes before and after it are one
placed as (

    select
        *,
        min(case when is_change then group_number end) over (
            partition by policy, provider, product, tenant_id, customer_id
            order by changed_at
            rows between current row and unbounded following
        ) as group_after,
        min(group_changed_at) over (
            partition by policy, provider, product, tenant_id, customer_id
            order by changed_at
            rows between current row and unbounded following
        ) as next_group_changed_at
    from dated

),

-- what a moment is dated by stands beside its edges: found by a window, for a join would weigh one customer's moments
-- against all of them
beside as (

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
        changed_at,
        change_source_cents,
        cast(null as {{ type_timestamp() }}) as placed_at
    from edges

    union all

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        cast(null as {{ type_string() }}) as entity_key,
        cast(null as {{ type_uuid() }}) as user_id,
        cast(null as {{ type_string() }}) as plan,
        cast(null as {{ type_string() }}) as currency,
        changed_at,
        null as change_source_cents,
        case when group_number = group_after then next_group_changed_at else changed_at end as placed_at
    from placed

),

found as (

    select
        *,
        max(placed_at) over (
            partition by policy, provider, product, tenant_id, customer_id, changed_at
        ) as occurred_at
    from beside

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
        cast(sum(change_source_cents) as {{ type_money() }}) as change_source_cents,
        occurred_at
    from found
    where change_source_cents is not null
    group by policy, provider, product, tenant_id, customer_id, entity_key, user_id, plan, currency, occurred_at
    having sum(change_source_cents) <> 0

)

select * from final
