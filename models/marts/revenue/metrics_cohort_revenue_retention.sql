{%- set timezone = "coalesce(tenants.timezone, 'UTC')" -%}

-- A cohort begins with what its customers first paid (month 0); month n is what they pay when the n-th month after
-- their first closes. So who leaves within the first month is missed from month 1 on, and was there in month 0.
with movements as (

    select * from {{ ref('int_revenue__mrr_movements') }}
    where
        movement_type = 'new'
        and {{ is_published_policy() }}

),

customer_months as (

    select * from {{ ref('int_revenue__customer_months') }}
    where is_paying

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select distinct month_start from {{ ref('dim_date') }}

),

cohorts as (

    select
        policy,
        product,
        tenant_id,
        {{ month_start('date_key') }} as cohort_month,
        count(*) as cohort_customers,
        sum(cast(mrr_after_cents as {{ type_money() }})) as cohort_mrr_cents
    from movements
    group by policy, product, tenant_id, {{ month_start('date_key') }}

),

retained as (

    select
        policy,
        product,
        tenant_id,
        cohort_month,
        month_start,
        count(*) as retained_customers,
        sum(closing_at_first_rates_cents) as retained_mrr_cents,
        sum(least(first_mrr_cents, closing_at_first_rates_cents)) as gross_retained_mrr_cents
    from customer_months
    group by policy, product, tenant_id, cohort_month, month_start

),

cells as (

    select
        cohorts.*,
        dates.month_start,
        {{ months_between('cohorts.cohort_month', 'dates.month_start') }} as month_number,
        {{ add_months('dates.month_start', 1) }} <= {{ as_of_date(timezone) }} as is_complete
    from cohorts
    left join tenants on cohorts.tenant_id = tenants.tenant_id
    inner join dates
        on
            cohorts.cohort_month <= dates.month_start
            and {{ as_of_date(timezone) }} >= dates.month_start

),

filled as (

    select
        cells.*,
        case
            when cells.month_number = 0 then cells.cohort_customers
            else coalesce(retained.retained_customers, 0)
        end as retained_customers,
        case
            when cells.month_number = 0 then cells.cohort_mrr_cents
            else coalesce(retained.retained_mrr_cents, 0)
        end as retained_mrr_cents,
        case
            when cells.month_number = 0 then cells.cohort_mrr_cents
            else coalesce(retained.gross_retained_mrr_cents, 0)
        end as gross_retained_mrr_cents
    from cells
    left join retained
        on
            cells.policy = retained.policy
            and cells.product = retained.product
            and cells.tenant_id = retained.tenant_id
            and cells.cohort_month = retained.cohort_month
            and cells.month_start = retained.month_start

),

final as (

    select
        cohort_month,
        cast(month_number as bigint) as month_number,
        tenant_id,

        product,
        policy,
        '{{ var("reporting_currency") }}' as currency,

        month_start,
        cast(cohort_customers as bigint) as cohort_customers,
        cast(case when is_complete then retained_customers end as bigint) as retained_customers,
        {{ published_money('cohort_mrr_cents') }} as cohort_mrr_cents,
        case when is_complete then {{ published_money('retained_mrr_cents') }} end as retained_mrr_cents,
        case when is_complete then {{ published_money('gross_retained_mrr_cents') }} end as gross_retained_mrr_cents,
        case when is_complete then {{ rate('retained_customers', 'cohort_customers') }} end as customer_retention,
        case when is_complete then {{ rate('retained_mrr_cents', 'cohort_mrr_cents') }} end as net_revenue_retention,
        case
            when is_complete then {{ rate('gross_retained_mrr_cents', 'cohort_mrr_cents') }}
        end as gross_revenue_retention,

        is_complete
    from filled

)

select * from final
