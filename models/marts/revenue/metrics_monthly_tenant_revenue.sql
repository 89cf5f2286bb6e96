with daily as (

    select * from {{ ref('metrics_daily_tenant_mrr') }}

),

customer_months as (

    select * from {{ ref('int_revenue__customer_months') }}

),

cash as (

    select * from {{ ref('metrics_daily_cash') }}

),

collections as (

    select * from {{ ref('metrics_monthly_collections') }}

),

policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

{{ monthly_revenue_steps(['product', 'tenant_id']) }},

final as (

    select
        month_start,
        tenant_id,

        product,
        policy,
        '{{ var("reporting_currency") }}' as currency,

        {{ monthly_revenue_columns() }},

        is_complete
    from measured

)

select * from final
