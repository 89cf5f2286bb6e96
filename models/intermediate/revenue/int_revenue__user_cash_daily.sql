{{ config(
    materialized='incremental',
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local', 'whole': true}},
) }}

with cash as (

    select * from {{ ref('int_revenue__cash_movements') }}
    where user_id is not null

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

dated as (

    select
        cash.*,
        {{ local_date('cash.occurred_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key
    from cash
    left join tenants on cash.tenant_id = tenants.tenant_id

),

final as (

    select
        dated.product,
        dated.tenant_id,
        dated.user_id,
        dated.date_key,
        cast(
            round(sum(dated.amount_source_cents * {{ fx_rate('dated.currency', 'rates.rate') }})) as bigint
        ) as revenue_cents
    from dated
    left join rates on dated.currency = rates.currency and dated.date_key = rates.rate_date
    group by dated.product, dated.tenant_id, dated.user_id, dated.date_key

)

select * from final
