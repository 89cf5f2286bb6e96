with days as (

    select
        origins.metric_date,
        origins.product,
        origins.policy as from_policy,
        destinations.policy as to_policy,
        destinations.net_mrr_cents - origins.net_mrr_cents as expected_cents
    from {{ ref('metrics_daily_mrr') }} as origins
    inner join {{ ref('metrics_daily_mrr') }} as destinations
        on
            origins.metric_date = destinations.metric_date
            and origins.product = destinations.product
            and origins.policy <> destinations.policy

),

bridged as (

    select
        metric_date,
        product,
        from_policy,
        to_policy,
        sum(difference_cents) as bridged_cents
    from {{ ref('metrics_mrr_policy_bridge') }}
    group by metric_date, product, from_policy, to_policy

)

select
    days.metric_date,
    days.product,
    days.from_policy,
    days.to_policy,
    days.expected_cents,
    bridged.bridged_cents
from days
left join bridged
    on
        days.metric_date = bridged.metric_date
        and days.product = bridged.product
        and days.from_policy = bridged.from_policy
        and days.to_policy = bridged.to_policy
where days.expected_cents <> coalesce(bridged.bridged_cents, 0)
