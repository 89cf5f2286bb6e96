-- Standard is the hub: two policies differ by what each departs from it, so that the way from one policy to a second
-- and on to a third is, cause by cause, the way from the first to the third, and the way back has the other sign.
-- Who departs in several ways does so a step at a time, over policies in between. Departures are differences of whole
-- cents, those that metrics_daily_mrr publishes at both ends, and so close to the cent.
with causes as (

    select * from {{ ref('int_revenue__policy_causes') }}

),

policies as (

    select policy from {{ ref('mrr_policies') }}
    where is_computed

),

days as (

    select * from {{ ref('metrics_daily_mrr') }}

),

daily as (

    select * from {{ ref('int_revenue__daily_mrr') }}
    where policy in (
        select policy_causes.after_policy from {{ ref('int_revenue__policy_causes') }} as policy_causes
        where policy_causes.after_policy <> policy_causes.policy
    )

),

customer_differences as (

    select * from {{ ref('int_revenue__policy_differences') }}

),

-- of policies in between nothing is published
closings as (

    select
        metric_date,
        product,
        policy,
        net_mrr_cents
    from days

    union all

    select
        metric_date,
        product,
        policy,
        cast(round(sum(net_mrr_cents)) as bigint) as net_mrr_cents
    from daily
    group by metric_date, product, policy

),

horizons as (

    select
        metric_date,
        product,
        min(case when is_complete then 1 else 0 end) as completeness
    from days
    group by metric_date, product

),

steps as (

    select
        origins.policy as from_policy,
        destinations.policy as to_policy,
        causes.policy,
        causes.cause,
        case when causes.policy = destinations.policy then 1 else -1 end as direction
    from policies as origins
    inner join policies as destinations on origins.policy <> destinations.policy
    inner join causes on causes.policy in (origins.policy, destinations.policy)

),

departures as (

    select
        closings.metric_date,
        closings.product,
        causes.policy,
        causes.cause,
        closings.net_mrr_cents as departure_cents
    from closings
    inner join causes on closings.policy = causes.after_policy

    union all

    select
        closings.metric_date,
        closings.product,
        causes.policy,
        causes.cause,
        -closings.net_mrr_cents as departure_cents
    from closings
    inner join causes on closings.policy = causes.before_policy

),

differences as (

    select
        departures.metric_date,
        departures.product,
        steps.from_policy,
        steps.to_policy,
        steps.cause,
        horizons.completeness,
        sum(steps.direction * departures.departure_cents) as difference_cents
    from departures
    inner join steps on departures.policy = steps.policy and departures.cause = steps.cause
    inner join horizons
        on departures.metric_date = horizons.metric_date and departures.product = horizons.product
    group by
        departures.metric_date,
        departures.product,
        steps.from_policy,
        steps.to_policy,
        steps.cause,
        horizons.completeness

),

-- a customer differs while any currency of it does
customer_changes as (

    select
        steps.from_policy,
        steps.to_policy,
        steps.cause,
        customer_differences.provider,
        customer_differences.product,
        customer_differences.tenant_id,
        customer_differences.customer_id,
        customer_differences.currency,
        customer_differences.date_key,
        sum(steps.direction * customer_differences.change_source_cents) as change_source_cents
    from customer_differences
    inner join steps
        on customer_differences.policy = steps.policy and customer_differences.cause = steps.cause
    group by
        steps.from_policy,
        steps.to_policy,
        steps.cause,
        customer_differences.provider,
        customer_differences.product,
        customer_differences.tenant_id,
        customer_differences.customer_id,
        customer_differences.currency,
        customer_differences.date_key

),

running as (

    select
        *,
        sum(change_source_cents) over (
            partition by from_policy, to_policy, cause, provider, product, tenant_id, customer_id, currency
            order by date_key
            rows between unbounded preceding and current row
        ) as after_source_cents
    from customer_changes

),

currencies as (

    select
        from_policy,
        to_policy,
        cause,
        provider,
        product,
        tenant_id,
        customer_id,
        date_key,
        sum(
            case when after_source_cents <> 0 then 1 else 0 end
            - case when after_source_cents - change_source_cents <> 0 then 1 else 0 end
        ) as currencies_change
    from running
    group by from_policy, to_policy, cause, provider, product, tenant_id, customer_id, date_key

),

counted as (

    select
        *,
        sum(currencies_change) over (
            partition by from_policy, to_policy, cause, provider, product, tenant_id, customer_id
            order by date_key
            rows between unbounded preceding and current row
        ) as currency_count
    from currencies

),

-- days beside the changes: added up they need no join
beside as (

    select
        metric_date,
        product,
        from_policy,
        to_policy,
        cause,
        difference_cents,
        completeness,
        0 as customers_change
    from differences

    union all

    select
        date_key as metric_date,
        product,
        from_policy,
        to_policy,
        cause,
        null as difference_cents,
        null as completeness,
        case when currency_count > 0 then 1 else 0 end
        - case when currency_count - currencies_change > 0 then 1 else 0 end as customers_change
    from counted

),

bridged as (

    select
        metric_date,
        product,
        from_policy,
        to_policy,
        cause,
        max(difference_cents) as difference_cents,
        max(completeness) as completeness,
        sum(customers_change) as customers_change
    from beside
    group by metric_date, product, from_policy, to_policy, cause

),

summed as (

    select
        *,
        sum(customers_change) over (
            partition by product, from_policy, to_policy, cause
            order by metric_date
            rows between unbounded preceding and current row
        ) as customers
    from bridged

),

final as (

    select
        metric_date,
        product,
        from_policy,
        to_policy,
        cause,

        '{{ var("reporting_currency") }}' as currency,

        cast(difference_cents as bigint) as difference_cents,
        cast(customers as bigint) as customers,

        completeness = 1 as is_complete
    from summed
    where completeness is not null

)

select * from final
