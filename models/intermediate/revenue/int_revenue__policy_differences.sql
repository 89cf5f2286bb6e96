{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'through': ['int_revenue__customer_balances'],
        'fixed': ['int_revenue__policy_causes'],
    }},
) }}

-- By how much a customer's recurring revenue under each policy departs from what it is under `standard`, cause by
-- cause, by day on which that changes.
with causes as (

    select * from {{ ref('int_revenue__policy_causes') }}

),

balances as (

    select * from {{ ref('int_revenue__customer_balances') }}
    where {{ is_affected('entity_key') }}

),

entries as (

    select
        causes.policy,
        causes.cause,
        balances.provider,
        balances.product,
        balances.tenant_id,
        balances.customer_id,
        balances.entity_key,
        balances.currency,
        balances.date_key,
        balances.change_source_cents
    from balances
    inner join causes on balances.policy = causes.after_policy

    union all

    select
        causes.policy,
        causes.cause,
        balances.provider,
        balances.product,
        balances.tenant_id,
        balances.customer_id,
        balances.entity_key,
        balances.currency,
        balances.date_key,
        -balances.change_source_cents as change_source_cents
    from balances
    inner join causes on balances.policy = causes.before_policy

),

final as (

    select
        policy,
        cause,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        currency,
        date_key,
        sum(change_source_cents) as change_source_cents
    from entries
    group by policy, cause, provider, product, tenant_id, customer_id, entity_key, currency, date_key
    having sum(change_source_cents) <> 0

)

select * from final
