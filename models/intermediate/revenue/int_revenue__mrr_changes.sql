-- Changes of a customer's recurring revenue, netted: what happens to one customer within
-- mrr_netting_minutes of the previous change is one change, dated by its first. One row per customer, change,
-- currency, plan and user. A swap of plans at the same price moves no revenue of the customer; it is dated as it
-- happened, or with the change that was under way.
with periods as (

    select * from {{ ref('int_revenue__subscription_periods') }}
    where mrr_source_cents > 0

),

edges as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        user_id,
        plan,
        currency,
        valid_from as changed_at,
        mrr_source_cents as change_source_cents
    from periods

    union all

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        user_id,
        plan,
        currency,
        valid_to as changed_at,
        -mrr_source_cents as change_source_cents
    from periods
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
        lag(changed_at) over (
            partition by policy, provider, product, tenant_id, customer_id
            order by changed_at
        ) as previous_changed_at
    from moments
    where is_change

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
                when seconds_since_previous <= 60 * {{ var('mrr_netting_minutes', 60) }} then 0
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
        min(changed_at) over (
            partition by policy, provider, product, tenant_id, customer_id, group_number
        ) as group_changed_at
    from grouped

),

-- a swap of plans lies within a change where the changes before and after it are one
placed as (

    select
        moments.*,
        dated.group_changed_at,
        max(dated.group_number) over (
            partition by moments.policy, moments.provider, moments.product, moments.tenant_id, moments.customer_id
            order by moments.changed_at
            rows between unbounded preceding and current row
        ) as group_before,
        min(dated.group_number) over (
            partition by moments.policy, moments.provider, moments.product, moments.tenant_id, moments.customer_id
            order by moments.changed_at
            rows between current row and unbounded following
        ) as group_after,
        min(dated.group_changed_at) over (
            partition by moments.policy, moments.provider, moments.product, moments.tenant_id, moments.customer_id
            order by moments.changed_at
            rows between current row and unbounded following
        ) as next_group_changed_at
    from moments
    left join dated
        on
            moments.policy = dated.policy
            and moments.provider = dated.provider
            and moments.product = dated.product
            and moments.tenant_id = dated.tenant_id
            and moments.customer_id = dated.customer_id
            and moments.changed_at = dated.changed_at

),

final as (

    select
        edges.policy,
        edges.provider,
        edges.product,
        edges.tenant_id,
        edges.customer_id,
        edges.user_id,
        edges.plan,
        edges.currency,
        cast(sum(edges.change_source_cents) as {{ type_money() }}) as change_source_cents,
        case
            when placed.group_before = placed.group_after then placed.next_group_changed_at
            else placed.changed_at
        end as occurred_at
    from edges
    inner join placed
        on
            edges.policy = placed.policy
            and edges.provider = placed.provider
            and edges.product = placed.product
            and edges.tenant_id = placed.tenant_id
            and edges.customer_id = placed.customer_id
            and edges.changed_at = placed.changed_at
    group by
        edges.policy,
        edges.provider,
        edges.product,
        edges.tenant_id,
        edges.customer_id,
        edges.user_id,
        edges.plan,
        edges.currency,
        case
            when placed.group_before = placed.group_after then placed.next_group_changed_at
            else placed.changed_at
        end
    having sum(edges.change_source_cents) <> 0

)

select * from final
