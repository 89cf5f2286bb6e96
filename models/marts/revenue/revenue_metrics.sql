{#- Beginning and end of the period that a day lies in. -#}
{%- set periods = {
    'DAILY': ('days.metric_date', 'days.metric_date'),
    'WEEKLY': (week_start('days.metric_date'), add_days(week_start('days.metric_date'), 6)),
    'MONTHLY': (
        month_start('days.metric_date'), add_days(add_months(month_start('days.metric_date'), 1), -1)
    ),
    'QUARTERLY': (
        quarter_start('days.metric_date'), add_days(add_months(quarter_start('days.metric_date'), 3), -1)
    ),
} -%}

with daily_mrr as (

    select * from {{ ref('metrics_daily_mrr') }}
    where policy = 'standard'

),

daily_cash as (

    select * from {{ ref('metrics_daily_cash') }}

),

monthly as (

    select * from {{ ref('metrics_monthly_revenue') }}
    where policy = 'standard'

),

project_amounts as (

    select * from {{ ref('int_projects__amounts') }}

),

headcounts as (

    select
        product,
        valid_from,
        employees,
        lead(valid_from) over (
            partition by product
            order by valid_from
        ) as next_valid_from
    from {{ ref('headcounts') }}

),

targets as (

    select
        metric_type,
        product,
        period_type,
        valid_from,
        target_value,
        target_growth_rate,
        lead(valid_from) over (
            partition by metric_type, product, period_type
            order by valid_from
        ) as next_valid_from
    from {{ ref('revenue_targets') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select date_key as metric_date from {{ ref('dim_date') }}

),

horizons as (

    select
        product,
        min({{ as_of_date('timezone') }}) as running_date
    from tenants
    group by product

),

cash as (

    select
        product,
        metric_date,
        case when count(order_value_cents) = count(*) then sum(order_value_cents) end as order_value_cents,
        sum(orders) as orders,
        case
            when count(cash_collected_cents - refunds_cents) = count(*) then sum(cash_collected_cents - refunds_cents)
        end as earned_cents
    from daily_cash
    group by product, metric_date

),

profits as (

    select
        tenants.product,
        project_amounts.date_key as metric_date,
        case
            when count(project_amounts.amount_cents) = count(*)
                then sum(
                    case when project_amounts.measure = 'revenue' then 1 else -1 end * project_amounts.amount_cents
                )
        end as profit_cents
    from project_amounts
    inner join tenants on project_amounts.tenant_id = tenants.tenant_id
    group by tenants.product, project_amounts.date_key

),

told as (

    select
        product,
        metric_date
    from daily_mrr

    union distinct

    select
        product,
        metric_date
    from cash

    union distinct

    select
        product,
        metric_date
    from profits

),

spans as (

    select
        told.product,
        min(told.metric_date) as first_date,
        horizons.running_date
    from told
    inner join horizons on told.product = horizons.product
    group by told.product, horizons.running_date

),

-- every day from a product's first on, whether or not anything happened; an amount that is unknown stays so
days as (

    select
        spans.product,
        spans.running_date,
        dates.metric_date,
        daily_mrr.net_mrr_cents,
        cash.order_value_cents,
        cash.orders,
        cash.earned_cents,
        profits.profit_cents,
        case when cash.orders > 0 and cash.order_value_cents is null then 0 else 1 end as is_order_value_known,
        case when cash.product is not null and cash.earned_cents is null then 0 else 1 end as is_earned_known,
        case when profits.product is not null and profits.profit_cents is null then 0 else 1 end as is_profit_known
    from spans
    inner join dates on spans.first_date <= dates.metric_date and spans.running_date >= dates.metric_date
    left join daily_mrr on spans.product = daily_mrr.product and dates.metric_date = daily_mrr.metric_date
    left join cash on spans.product = cash.product and dates.metric_date = cash.metric_date
    left join profits on spans.product = profits.product and dates.metric_date = profits.metric_date

),

in_periods as (

    {% for period_type, (period_start, period_end) in periods.items() -%}
    select
        '{{ period_type }}' as period_type,
        {{ period_start }} as period_start,
        {{ period_end }} as period_end,
        days.*
    from days
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}

),

summed as (

    select
        product,
        period_type,
        period_start,
        period_end,
        period_end < running_date as is_complete,
        {{ latest_by('net_mrr_cents', 'metric_date') }} as net_mrr_cents,
        case when min(is_order_value_known) = 1 then sum(order_value_cents) end as order_value_cents,
        sum(orders) as orders,
        case when min(is_earned_known) = 1 then sum(coalesce(earned_cents, 0)) end as earned_cents,
        case when min(is_profit_known) = 1 then sum(coalesce(profit_cents, 0)) end as profit_cents
    from in_periods
    group by product, period_type, period_start, period_end, running_date

),

-- a customer's worth is known month by month: of a period that of the last month which was over with it
known as (

    select
        summed.*,
        monthly.customer_lifetime_value_cents,
        headcounts.employees
    from summed
    left join monthly
        on
            summed.product = monthly.product
            and {{ add_months(month_start(add_days('summed.period_end', 1)), -1) }} = monthly.month_start
    left join headcounts
        on
            summed.product = headcounts.product
            and summed.period_end >= headcounts.valid_from
            and (headcounts.next_valid_from is null or summed.period_end < headcounts.next_valid_from)

),

measured as (

    select
        product,
        period_type,
        period_start,
        period_end,
        is_complete,
        'MRR' as metric_type,
        cast(net_mrr_cents as {{ type_numeric() }}) as value
    from known
    where net_mrr_cents is not null

    union all

    select
        product,
        period_type,
        period_start,
        period_end,
        is_complete,
        'AOV' as metric_type,
        case when is_complete then round({{ rate('order_value_cents', 'orders') }}) end as value
    from known

    union all

    select
        product,
        period_type,
        period_start,
        period_end,
        is_complete,
        'CLV' as metric_type,
        case when is_complete then cast(customer_lifetime_value_cents as {{ type_numeric() }}) end as value
    from known
    where product in (select daily_mrr.product from daily_mrr)

    union all

    select
        product,
        period_type,
        period_start,
        period_end,
        is_complete,
        'REVENUE_PER_EMPLOYEE' as metric_type,
        case when is_complete then round({{ rate('earned_cents', 'employees') }}) end as value
    from known

    union all

    select
        product,
        period_type,
        period_start,
        period_end,
        is_complete,
        'PROJECT_PROFIT' as metric_type,
        round(profit_cents) as value
    from known
    where product in (select profits.product from profits)

),

followed as (

    select
        *,
        lag(value) over (
            partition by metric_type, product, period_type
            order by period_start
        ) as previous_value
    from measured

),

aimed as (

    select
        followed.*,
        coalesce(
            targets.target_value, round(followed.previous_value * (1 + targets.target_growth_rate))
        ) as target_value
    from followed
    left join targets
        on
            followed.metric_type = targets.metric_type
            and followed.product = targets.product
            and followed.period_type = targets.period_type
            and followed.period_start >= targets.valid_from
            and (targets.next_valid_from is null or followed.period_start < targets.next_valid_from)

),

final as (

    select
        metric_type,
        period_type,
        period_start,
        period_end,

        product,
        '{{ var("reporting_currency") }}' as currency,

        value,
        target_value,
        case when is_complete then value - target_value end as variance,

        is_complete
    from aimed

)

select * from final
