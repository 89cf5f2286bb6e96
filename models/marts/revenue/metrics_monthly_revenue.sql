with daily as (

    select * from {{ ref('metrics_daily_mrr') }}

),

customer_months as (

    select * from {{ ref('int_revenue__customer_months') }}

),

cash as (

    select * from {{ ref('metrics_daily_cash') }}

),

collections as (

    select * from {{ ref('metrics_monthly_collections') }}

),

policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

margins as (

    select
        product,
        valid_from,
        gross_margin_rate,
        lead(valid_from) over (
            partition by product
            order by valid_from
        ) as next_valid_from
    from {{ ref('gross_margins') }}

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

{{ monthly_revenue_steps(['product']) }},

assumed as (

    select
        measured.*,
        margins.gross_margin_rate,
        headcounts.employees
    from measured
    left join margins
        on
            measured.product = margins.product
            and measured.last_date >= margins.valid_from
            and (margins.next_valid_from is null or measured.last_date < margins.next_valid_from)
    left join headcounts
        on
            measured.product = headcounts.product
            and measured.last_date >= headcounts.valid_from
            and (headcounts.next_valid_from is null or measured.last_date < headcounts.next_valid_from)

),

final as (

    select
        month_start,

        product,
        policy,
        '{{ var("reporting_currency") }}' as currency,

        {{ monthly_revenue_columns() }},
        case
            when is_complete
                then cast(round(
                    {{ rate('net_mrr_cents', 'paying_customers') }} * gross_margin_rate
                    / nullif({{ rate('lost_customers', 'opening_customers') }}, 0)
                ) as bigint)
        end as customer_lifetime_value_cents,
        case
            when is_complete
                then cast(round({{ rate('(cash_collected_cents - refunds_cents)', 'employees') }}) as bigint)
        end as revenue_per_employee_cents,
        gross_margin_rate,
        employees,

        is_complete
    from assumed

)

select * from final
