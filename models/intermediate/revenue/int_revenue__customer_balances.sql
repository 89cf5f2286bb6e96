{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'by': 'customers_of_zones_and_rates',
        'through': ['int_revenue__mrr_changes', 'int_core__tenant_timezones', 'int_revenue__fx_daily'],
    }},
) }}

-- A customer's recurring revenue in every currency it ever paid in, before and after each change, with the
-- rate of that tenant-local day. All currencies stand at every change, so that a sum over them is the
-- customer's whole.
with plan_changes as (

    select * from {{ ref('int_revenue__mrr_changes') }}
    where {{ is_affected('entity_key') }}

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

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
        entity_key,
        currency,
        occurred_at,
        sum(change_source_cents) as change_source_cents
    from plan_changes
    group by policy, provider, product, tenant_id, customer_id, entity_key, currency, occurred_at
    having sum(change_source_cents) <> 0

),

-- how many currencies the customer ever paid in: most pay in one, and need no row beside the change itself
counted as (

    select
        *,
        min(currency) over (partition by policy, provider, product, tenant_id, customer_id)
        <> max(currency) over (partition by policy, provider, product, tenant_id, customer_id) as is_mixed
    from changes

),

mixed_currencies as (

    select distinct
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        currency
    from counted
    where is_mixed

),

entries as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        currency,
        occurred_at,
        change_source_cents
    from counted

    union all

    select
        counted.policy,
        counted.provider,
        counted.product,
        counted.tenant_id,
        counted.customer_id,
        counted.entity_key,
        mixed_currencies.currency,
        counted.occurred_at,
        0 as change_source_cents
    from counted
    inner join mixed_currencies
        on
            counted.policy = mixed_currencies.policy
            and counted.provider = mixed_currencies.provider
            and counted.product = mixed_currencies.product
            and counted.tenant_id = mixed_currencies.tenant_id
            and counted.customer_id = mixed_currencies.customer_id
    where counted.is_mixed

),

summed as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        currency,
        occurred_at,
        sum(change_source_cents) as change_source_cents
    from entries
    group by policy, provider, product, tenant_id, customer_id, entity_key, currency, occurred_at

),

balances as (

    select
        summed.*,
        {{ local_date('summed.occurred_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        coalesce(tenants.timezone, 'UTC') as timezone
    from summed
    left join tenants on summed.tenant_id = tenants.tenant_id

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
        running.entity_key,
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
