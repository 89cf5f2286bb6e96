-- The bridge of every tenant-local day, exact (not rounded): balances are kept per currency and valued at
-- the day's rate, so that yesterday's balance at today's rate minus at yesterday's is the fx movement.
with balances as (

    select * from {{ ref('int_revenue__customer_balances') }}

),

movements as (

    select * from {{ ref('int_revenue__mrr_movements') }}

),

risks as (

    select * from {{ ref('int_revenue__risk_changes') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

changes as (

    select
        policy,
        product,
        tenant_id,
        currency,
        date_key,
        sum(change_source_cents) as change_source_cents,
        sum(risk_change_source_cents) as risk_change_source_cents
    from (
        select
            policy,
            product,
            tenant_id,
            currency,
            date_key,
            change_source_cents,
            0 as risk_change_source_cents
        from balances
        union all
        select
            policy,
            product,
            tenant_id,
            currency,
            date_key,
            0 as change_source_cents,
            risk_change_source_cents
        from risks
    ) as both_changes
    group by policy, product, tenant_id, currency, date_key

),

series as (

    select
        policy,
        product,
        tenant_id,
        currency,
        min(date_key) as first_date
    from changes
    group by policy, product, tenant_id, currency

),

days as (

    {{ date_spine(
        "(select min(first_date) from series)",
        "(select coalesce(max(" ~ as_of_date("tenants.timezone") ~ "), "
        ~ as_of_date("'UTC'") ~ ") from tenants)"
    ) }}

),

daily_sources as (

    select
        series.policy,
        series.product,
        series.tenant_id,
        series.currency,
        days.date_day as metric_date,
        {{ fx_rate('series.currency', 'rates.rate') }} as rate,
        sum(coalesce(changes.change_source_cents, 0)) over (
            partition by series.policy, series.product, series.tenant_id, series.currency
            order by days.date_day
            rows between unbounded preceding and current row
        ) as source_cents,
        sum(coalesce(changes.risk_change_source_cents, 0)) over (
            partition by series.policy, series.product, series.tenant_id, series.currency
            order by days.date_day
            rows between unbounded preceding and current row
        ) as risk_source_cents
    from series
    inner join days on series.first_date <= days.date_day
    left join changes
        on
            series.policy = changes.policy
            and series.product = changes.product
            and series.tenant_id = changes.tenant_id
            and series.currency = changes.currency
            and days.date_day = changes.date_key
    left join rates on series.currency = rates.currency and days.date_day = rates.rate_date

),

revalued as (

    select
        *,
        coalesce(
            lag(source_cents) over (
                partition by policy, product, tenant_id, currency
                order by metric_date
            ),
            0
        ) as opening_source_cents,
        coalesce(
            lag(rate) over (
                partition by policy, product, tenant_id, currency
                order by metric_date
            ),
            rate
        ) as opening_rate
    from daily_sources

),

closings as (

    select
        policy,
        product,
        tenant_id,
        metric_date,
        sum(opening_source_cents * opening_rate) as opening_mrr_cents,
        sum(opening_source_cents * (rate - opening_rate)) as fx_mrr_cents,
        sum(source_cents * rate) as net_mrr_cents,
        sum(risk_source_cents * rate) as at_risk_mrr_cents
    from revalued
    group by policy, product, tenant_id, metric_date

),

moved as (

    select
        policy,
        product,
        tenant_id,
        date_key,
        {%- for type in ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}
        sum(
            case when movement_type = '{{ type }}' then abs(mrr_change_cents) else 0 end
        ) as {{ type }}_mrr_cents,
        {%- endfor %}
        sum(paying_customers_change) as paying_customers_change
    from movements
    group by policy, product, tenant_id, date_key

),

final as (

    select
        closings.policy,
        closings.product,
        closings.tenant_id,
        closings.metric_date,
        closings.opening_mrr_cents,
        {%- for type in ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}
        coalesce(moved.{{ type }}_mrr_cents, 0) as {{ type }}_mrr_cents,
        {%- endfor %}
        closings.fx_mrr_cents,
        closings.net_mrr_cents,
        closings.at_risk_mrr_cents,
        sum(coalesce(moved.paying_customers_change, 0)) over (
            partition by closings.policy, closings.product, closings.tenant_id
            order by closings.metric_date
            rows between unbounded preceding and current row
        ) as paying_customers
    from closings
    left join moved
        on
            closings.policy = moved.policy
            and closings.product = moved.product
            and closings.tenant_id = moved.tenant_id
            and closings.metric_date = moved.date_key

)

select * from final
