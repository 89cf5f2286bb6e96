-- A customer's recurring revenue in every currency it ever paid in, before and after each change, with the
-- rate of that tenant-local day. All currencies stand at every change, so that a sum over them is the
-- customer's whole.
with plan_changes as (

    select * from {{ ref('int_revenue__mrr_changes') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

changes as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        currency,
        occurred_at,
        sum(change_source_cents) as change_source_cents
    from plan_changes
    group by policy, provider, product, tenant_id, customer_id, currency, occurred_at
    having sum(change_source_cents) <> 0

),

instants as (

    select distinct
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        occurred_at
    from changes

),

currencies as (

    select distinct
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        currency
    from changes

),

balances as (

    select
        instants.policy,
        instants.provider,
        instants.product,
        instants.tenant_id,
        instants.customer_id,
        currencies.currency,
        instants.occurred_at,
        {{ local_date('instants.occurred_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        coalesce(tenants.timezone, 'UTC') as timezone,
        coalesce(changes.change_source_cents, 0) as change_source_cents
    from instants
    inner join currencies
        on
            instants.policy = currencies.policy
            and instants.provider = currencies.provider
            and instants.product = currencies.product
            and instants.tenant_id = currencies.tenant_id
            and instants.customer_id = currencies.customer_id
    left join changes
        on
            currencies.policy = changes.policy
            and currencies.provider = changes.provider
            and currencies.product = changes.product
            and currencies.tenant_id = changes.tenant_id
            and currencies.customer_id = changes.customer_id
            and currencies.currency = changes.currency
            and instants.occurred_at = changes.occurred_at
    left join tenants on instants.tenant_id = tenants.tenant_id

),

running as (

    select
        *,
        sum(change_source_cents) over (
            partition by policy, provider, product, tenant_id, customer_id, currency
            order by occurred_at
            rows between unbounded preceding and current row
        ) as after_source_cents,
        lead(date_key) over (
            partition by policy, provider, product, tenant_id, customer_id, currency
            order by occurred_at
        ) as next_date_key
    from balances

),

final as (

    select
        running.policy,
        running.provider,
        running.product,
        running.tenant_id,
        running.customer_id,
        running.currency,
        running.change_source_cents,
        running.after_source_cents - running.change_source_cents as before_source_cents,
        running.after_source_cents,
        {{ fx_rate('running.currency', 'rates.rate') }} as rate,
        running.timezone,
        running.occurred_at,
        running.date_key,
        running.next_date_key
    from running
    left join rates on running.currency = rates.currency and running.date_key = rates.rate_date

)

select * from final
