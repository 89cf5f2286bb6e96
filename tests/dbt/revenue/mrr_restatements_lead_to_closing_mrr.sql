with restatements as (

    select
        *,
        lead(mrr_before_cents) over (
            partition by metric_date, product, policy
            order by known_on
        ) as next_before_cents
    from {{ ref('metrics_mrr_restatements') }}

)

select
    restatements.*,
    days.net_mrr_cents
from restatements
left join {{ ref('metrics_daily_mrr') }} as days
    on
        restatements.metric_date = days.metric_date
        and restatements.product = days.product
        and restatements.policy = days.policy
where
    restatements.mrr_after_cents
    <> coalesce(restatements.next_before_cents, days.net_mrr_cents, 0)
    or restatements.known_on <= restatements.metric_date
