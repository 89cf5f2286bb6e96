with movements as (

    select
        movements.policy,
        movements.product,
        movements.tenant_id,
        sum(movements.mrr_change_cents) as moved_cents
    from {{ ref('fact_mrr_movements') }} as movements
    inner join {{ ref('dim_tenant') }} as tenants on movements.tenant_id = tenants.tenant_id
    where movements.date_key <= {{ as_of_date('tenants.timezone') }}
    group by movements.policy, movements.product, movements.tenant_id

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
    movements.moved_cents
from ranked
left join movements
    on
        ranked.policy = movements.policy
        and ranked.product = movements.product
        and ranked.tenant_id = movements.tenant_id
where ranked.age_rank = 1 and abs(ranked.net_mrr_cents - coalesce(movements.moved_cents, 0)) > 0.51
