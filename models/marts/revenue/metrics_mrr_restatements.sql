-- What a day is worth now is what it was worth after its last restatement; each one takes back its own part. So the
-- rows of a day form a chain that ends at metrics_daily_mrr, whatever was loaded when.
with restated_mrr as (

    select * from {{ ref('int_revenue__restated_mrr') }}

),

restated_rates as (

    select * from {{ ref('int_revenue__restated_rates') }}

),

daily as (

    select * from {{ ref('int_revenue__daily_mrr') }}

),

closings as (

    select
        metric_date,
        product,
        policy,
        sum(net_mrr_cents) as net_mrr_cents
    from daily
    group by metric_date, product, policy

),

restated as (

    select
        metric_date,
        product,
        policy,
        known_on,
        cause,
        restated_mrr_cents,
        load_id
    from restated_mrr

    union all

    select
        metric_date,
        product,
        policy,
        known_on,
        cause,
        restated_mrr_cents,
        cast(null as bigint) as load_id
    from restated_rates

),

summed as (

    select
        metric_date,
        product,
        policy,
        known_on,
        case when min(cause) = max(cause) then min(cause) else 'several' end as cause,
        sum(restated_mrr_cents) as restated_mrr_cents,
        max(load_id) as load_id
    from restated
    group by metric_date, product, policy, known_on

),

chained as (

    select
        summed.*,
        coalesce(closings.net_mrr_cents, 0) - coalesce(
            sum(summed.restated_mrr_cents) over (
                partition by summed.metric_date, summed.product, summed.policy
                order by summed.known_on desc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as after_mrr_cents
    from summed
    left join closings
        on
            summed.metric_date = closings.metric_date
            and summed.product = closings.product
            and summed.policy = closings.policy

),

final as (

    select
        metric_date,
        product,
        policy,
        known_on,

        cause,
        '{{ var("reporting_currency") }}' as currency,
        load_id,

        cast(round(after_mrr_cents - restated_mrr_cents) as bigint) as mrr_before_cents,
        cast(round(after_mrr_cents) as bigint) as mrr_after_cents
    from chained
    where round(after_mrr_cents - restated_mrr_cents) <> round(after_mrr_cents)

)

select * from final
