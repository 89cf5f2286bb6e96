with running as (

    select
        periods.policy,
        periods.product,
        periods.tenant_id,
        sum(periods.mrr_source_cents * {{ fx_rate('periods.currency', 'rates.rate') }}) as running_cents
    from {{ ref('fact_subscription_periods') }} as periods
    inner join {{ ref('dim_tenant') }} as tenants on periods.tenant_id = tenants.tenant_id
    left join {{ ref('int_revenue__fx_daily') }} as rates
        on
            periods.currency = rates.currency
            and {{ as_of_date('tenants.timezone') }} = rates.rate_date
    where
        periods.product not in (select product from {{ ref('int_revenue__products_without_rate') }})
        and {{ local_date('periods.valid_from', 'tenants.timezone') }} <= {{ as_of_date('tenants.timezone') }}
        and (
            periods.valid_to is null
            or {{ local_date('periods.valid_to', 'tenants.timezone') }} > {{ as_of_date('tenants.timezone') }}
        )
    group by periods.policy, periods.product, periods.tenant_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by policy, product, tenant_id
            order by metric_date desc
        ) as age_rank
    from {{ ref('metrics_daily_tenant_mrr') }}

)

select
    ranked.policy,
    ranked.product,
    ranked.tenant_id,
    ranked.net_mrr_cents,
    running.running_cents
from ranked
left join running
    on
        ranked.policy = running.policy
        and ranked.product = running.product
        and ranked.tenant_id = running.tenant_id
where ranked.age_rank = 1 and abs(ranked.net_mrr_cents - coalesce(running.running_cents, 0)) > 0.51
