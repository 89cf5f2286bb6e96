{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}, {'columns': ['customer_id']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'notes': {'tenant_id': 'tenant_id', 'customer_id': 'customer_id'},
        'inside': ['customer_id'],
        'through': ['int_revenue__customer_balances'],
    }},
) }}

-- One row per change of a customer, valued at the rate of its day, and named. A first revenue ever is
-- `new`, a return is `reactivation`; what the rate alone does is in int_revenue__fx_movements.
with balances as (

    select * from {{ ref('int_revenue__customer_balances') }}
    where {{ is_affected('entity_key') }}

),

valued as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        occurred_at,
        date_key,
        sum(change_source_cents * rate) as mrr_change_cents,
        sum(before_source_cents * rate) as mrr_before_cents,
        sum(after_source_cents * rate) as mrr_after_cents,
        sum(before_source_cents) > 0 as was_paying,
        sum(after_source_cents) > 0 as is_paying,
        row_number() over (
            partition by policy, provider, product, tenant_id, customer_id
            order by occurred_at
        ) as movement_number
    from balances
    group by policy, provider, product, tenant_id, customer_id, entity_key, occurred_at, date_key

),

final as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        case
            when not was_paying and movement_number = 1 then 'new'
            when not was_paying then 'reactivation'
            when not is_paying then 'churn'
            when mrr_change_cents >= 0 then 'expansion'
            else 'contraction'
        end as movement_type,
        mrr_change_cents,
        mrr_before_cents,
        mrr_after_cents,
        case
            when is_paying and not was_paying then 1
            when was_paying and not is_paying then -1
            else 0
        end as paying_customers_change,
        occurred_at,
        date_key
    from valued

)

select * from final
