-- A tenant's closing MRR shared out by plan and country: whole cents that come to the tenant's own. Each cell is
-- rounded down, and the cents that are left go to the largest fractions.
{%- set country_code = "coalesce(users.country_code, tenants.country_code, 'unknown')" %}

with changes as (

    select * from {{ ref('int_revenue__plan_changes') }}

),

users as (

    select * from {{ ref('dim_user') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

tenant_days as (

    select * from {{ ref('metrics_daily_tenant_mrr') }}

),

placed as (

    select
        changes.policy,
        changes.provider,
        changes.product,
        changes.tenant_id,
        changes.customer_id,
        changes.user_id,
        changes.plan,
        {{ country_code }} as country_code,
        changes.currency,
        changes.change_source_cents,
        changes.customers_change,
        changes.is_shared,
        changes.occurred_at,
        {{ local_date('changes.occurred_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key
    from changes
    left join tenants on changes.tenant_id = tenants.tenant_id
    left join users on changes.tenant_id = users.tenant_id and changes.user_id = users.user_id

),

-- a customer pays for a plan while anything of it is above nothing, in whatever currency; several users of it in one
-- country are one customer there
moved as (

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        currency,
        date_key,
        change_source_cents,
        customers_change
    from placed
    where not is_shared

    union all

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        currency,
        date_key,
        change_source_cents,
        {{ paying_customers_change(
            ['customer_id', 'plan', 'country_code', 'policy', 'provider', 'product', 'tenant_id'],
            'user_id'
        ) }} as customers_change
    from placed
    where is_shared

),

moved_days as (

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        currency,
        date_key,
        sum(change_source_cents) as change_source_cents,
        sum(customers_change) as customers_change
    from moved
    group by policy, product, tenant_id, plan, country_code, currency, date_key

),

daily_changes as (

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        currency,
        date_key,
        change_source_cents,
        0 as customers_change
    from moved_days

    union all

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        '{{ var("reporting_currency") }}' as currency,
        date_key,
        0 as change_source_cents,
        customers_change
    from moved_days

),

series as (

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        currency,
        min(date_key) as first_date
    from daily_changes
    group by policy, product, tenant_id, plan, country_code, currency

),

-- each day of the tenant from a plan's first on, beside the changes: added up they need no join
steps as (

    select
        series.policy,
        series.product,
        series.tenant_id,
        series.plan,
        series.country_code,
        series.currency,
        tenant_days.metric_date,
        0 as change_source_cents,
        0 as customers_change,
        tenant_days.net_mrr_cents as tenant_mrr_cents,
        case when tenant_days.is_complete then 1 else 0 end as completeness
    from series
    inner join tenant_days
        on
            series.policy = tenant_days.policy
            and series.product = tenant_days.product
            and series.tenant_id = tenant_days.tenant_id
            and series.first_date <= tenant_days.metric_date

    union all

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        currency,
        date_key as metric_date,
        change_source_cents,
        customers_change,
        null as tenant_mrr_cents,
        null as completeness
    from daily_changes

),

days as (

    select
        policy,
        product,
        tenant_id,
        plan,
        country_code,
        currency,
        metric_date,
        sum(change_source_cents) as change_source_cents,
        sum(customers_change) as customers_change,
        max(tenant_mrr_cents) as tenant_mrr_cents,
        max(completeness) as completeness
    from steps
    group by policy, product, tenant_id, plan, country_code, currency, metric_date

),

running as (

    select
        *,
        sum(change_source_cents) over (
            partition by policy, product, tenant_id, plan, country_code, currency
            order by metric_date
            rows between unbounded preceding and current row
        ) as source_cents,
        sum(customers_change) over (
            partition by policy, product, tenant_id, plan, country_code, currency
            order by metric_date
            rows between unbounded preceding and current row
        ) as paying_customers
    from days

),

valued as (

    select
        running.policy,
        running.product,
        running.tenant_id,
        running.plan,
        running.country_code,
        running.metric_date,
        running.tenant_mrr_cents,
        running.completeness,
        sum(running.source_cents * {{ fx_rate('running.currency', 'rates.rate') }}) as mrr_cents,
        sum(running.paying_customers) as paying_customers
    from running
    left join rates on running.currency = rates.currency and running.metric_date = rates.rate_date
    where
        (running.source_cents <> 0 or running.paying_customers <> 0)
        and running.tenant_mrr_cents is not null
    group by
        running.policy,
        running.product,
        running.tenant_id,
        running.plan,
        running.country_code,
        running.metric_date,
        running.tenant_mrr_cents,
        running.completeness

),

ranked as (

    select
        *,
        sum(floor(mrr_cents)) over (partition by policy, product, tenant_id, metric_date) as floor_total_cents,
        row_number() over (
            partition by policy, product, tenant_id, metric_date
            order by mrr_cents - floor(mrr_cents) desc, plan asc, country_code asc
        ) as rank_number
    from valued

),

final as (

    select
        metric_date,
        product,
        policy,
        tenant_id,
        plan,
        country_code,

        '{{ var("reporting_currency") }}' as currency,

        cast(
            floor(mrr_cents) + case when rank_number <= tenant_mrr_cents - floor_total_cents then 1 else 0 end
            as bigint
        ) as net_mrr_cents,
        cast(paying_customers as bigint) as paying_customers,

        completeness = 1 as is_complete
    from ranked

)

select * from final
