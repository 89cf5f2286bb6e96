-- Changes of a customer's recurring revenue, netted: what happens to one customer within
-- mrr_netting_minutes of the previous change is one change, dated when it is done. One row per customer,
-- change and currency.
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
    having sum(change_source_cents) <> 0

),

followed as (

    select
        *,
        lag(changed_at) over (
            partition by policy, provider, product, tenant_id, customer_id
            order by changed_at, currency
        ) as previous_changed_at
    from instants

),

timed as (

    select
        *,
        {{ seconds_between('previous_changed_at', 'changed_at') }} as seconds_since_previous
    from followed

),

spaced as (

    select
        *,
        case
            when seconds_since_previous <= 60 * {{ var('mrr_netting_minutes', 60) }} then 0
            else 1
        end as is_apart
    from timed

),

grouped as (

    select
        *,
        sum(is_apart) over (
            partition by policy, provider, product, tenant_id, customer_id
            order by changed_at, currency
            rows between unbounded preceding and current row
        ) as group_number
    from spaced

),

netted as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        currency,
        group_number,
        sum(change_source_cents) as change_source_cents
    from grouped
    group by policy, provider, product, tenant_id, customer_id, currency, group_number
    having sum(change_source_cents) <> 0

),

dated as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        group_number,
        max(changed_at) as occurred_at
    from grouped
    group by policy, provider, product, tenant_id, customer_id, group_number

),

final as (

    select
        netted.policy,
        netted.provider,
        netted.product,
        netted.tenant_id,
        netted.customer_id,
        netted.currency,
        cast(netted.change_source_cents as {{ type_money() }}) as change_source_cents,
        dated.occurred_at
    from netted
    inner join dated
        on
            netted.policy = dated.policy
            and netted.provider = dated.provider
            and netted.product = dated.product
            and netted.tenant_id = dated.tenant_id
            and netted.customer_id = dated.customer_id
            and netted.group_number = dated.group_number

)

select * from final
