with plans as (

    select
        metric_date,
        product,
        policy,
        tenant_id,
        sum(net_mrr_cents) as plans_cents,
        min(net_mrr_cents) as smallest_cents
    from {{ ref('metrics_daily_plan_mrr') }}
    group by metric_date, product, policy, tenant_id

)

select
    days.metric_date,
    days.product,
    days.policy,
    days.tenant_id,
    days.net_mrr_cents,
    plans.plans_cents
from {{ ref('metrics_daily_tenant_mrr') }} as days
left join plans
    on
        days.metric_date = plans.metric_date
        and days.product = plans.product
        and days.policy = plans.policy
        and days.tenant_id = plans.tenant_id
where days.net_mrr_cents <> coalesce(plans.plans_cents, 0) or plans.smallest_cents < 0
