-- Every tenant that a subscription or a payment names, for dim_tenant.
with states as (

    select * from {{ ref('int_revenue__subscription_states') }}

),

cash as (

    {{ cash_movements() }}

),

mentions as (

    select
        product,
        tenant_id,
        effective_at as seen_at
    from states

    union all

    select
        product,
        tenant_id,
        occurred_at as seen_at
    from cash

),

final as (

    select
        product,
        tenant_id,
        min(seen_at) as first_seen_at
    from mentions
    group by product, tenant_id

)

select * from final
