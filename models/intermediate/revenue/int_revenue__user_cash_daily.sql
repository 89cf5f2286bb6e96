{{ config(
    materialized='incremental',
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local', 'whole': true}},
) }}

-- Money that a bank sent back or a store reversed never went back: it is left out with its reversal (fact_refunds).
with movements as (

    {{ cash_movements() }}

),

cash as (

    select * from movements
    where user_id is not null and cash_type <> 'refund_reversal'

),

refunds as (

    select
        provider,
        account,
        source_id,
        status
    from {{ ref('int_revenue__stripe_refunds') }}

    union all

    select
        provider,
        account,
        source_id,
        status
    from {{ ref('int_revenue__store_refunds') }}

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
    left join refunds
        on
            cash.source_id = refunds.source_id
            and cash.account = refunds.account
            and cash.provider = refunds.provider
            and cash.cash_type = 'refund'
    left join tenants on cash.tenant_id = tenants.tenant_id
    where refunds.status is null or refunds.status <> 'failed'

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
