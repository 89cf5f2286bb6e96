{%- set timezone = "coalesce(tenants.timezone, 'UTC')" -%}

-- A day of the product is each tenant's own calendar day of that date. Where the newest date has not begun
-- for a tenant yet, its last balance stands.
with daily as (

    select * from {{ ref('int_revenue__daily_mrr') }}
    where {{ is_published_policy() }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

totals as (

    select
        daily.metric_date,
        daily.product,
        daily.policy,
        sum(daily.opening_mrr_cents) as opening_mrr_cents,
        sum(daily.new_mrr_cents) as new_mrr_cents,
        sum(daily.expansion_mrr_cents) as expansion_mrr_cents,
        sum(daily.contraction_mrr_cents) as contraction_mrr_cents,
        sum(daily.churn_mrr_cents) as churn_mrr_cents,
        sum(daily.reactivation_mrr_cents) as reactivation_mrr_cents,
        sum(daily.fx_mrr_cents) as fx_mrr_cents,
        sum(daily.net_mrr_cents) as net_mrr_cents,
        sum(daily.at_risk_mrr_cents) as at_risk_mrr_cents,
        sum(daily.paying_customers) as paying_customers,
        min(
            case
                when {{ day_start(add_days('daily.metric_date', 1), timezone) }} <= {{ as_of() }} then 1
                else 0
            end
        ) = 1 as is_complete
    from daily
    left join tenants on daily.tenant_id = tenants.tenant_id
    group by daily.metric_date, daily.product, daily.policy

),

remaindered as (

    select
        *,
        {{ mrr_bridge_remainders() }}
    from totals

),

final as (

    select
        metric_date,
        product,
        policy,

        '{{ var("reporting_currency") }}' as currency,

        {{ mrr_bridge() }},

        is_complete
    from remaindered

)

select * from final
