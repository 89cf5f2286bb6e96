-- When recurring revenue came at risk (past due, or in a grace period) and when it no longer was.
with unrated as (

    select distinct product
    from {{ ref('int_revenue__products_without_rate') }}

),

periods as (

    select periods.*
    from {{ ref('int_revenue__subscription_periods') }} as periods
    left join unrated on periods.product = unrated.product
    where periods.is_at_risk and periods.mrr_source_cents > 0 and unrated.product is null

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

edges as (

    select
        policy,
        product,
        tenant_id,
        currency,
        valid_from as changed_at,
        mrr_source_cents as risk_change_source_cents
    from periods

    union all

    select
        policy,
        product,
        tenant_id,
        currency,
        valid_to as changed_at,
        -mrr_source_cents as risk_change_source_cents
    from periods
    where valid_to is not null

),

dated as (

    select
        edges.*,
        {{ local_date('edges.changed_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key
    from edges
    left join tenants on edges.tenant_id = tenants.tenant_id

),

final as (

    select
        policy,
        product,
        tenant_id,
        currency,
        date_key,
        sum(risk_change_source_cents) as risk_change_source_cents
    from dated
    group by policy, product, tenant_id, currency, date_key

)

select * from final
