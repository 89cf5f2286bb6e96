{%- set timezone = "coalesce(tenants.timezone, 'UTC')" -%}

with usage as (

    select * from {{ ref('int_revenue__stripe_usage') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

valued as (

    select
        usage.tenant_id,
        usage.product,
        usage.plan,
        {{ month_start('usage.date_key') }} as month_start,
        usage.usage_source_cents * {{ fx_rate('usage.currency', 'rates.rate') }} as usage_cents,
        {{ as_of_date(timezone) }} as running_date
    from usage
    left join rates on usage.currency = rates.currency and usage.date_key = rates.rate_date
    left join tenants on usage.tenant_id = tenants.tenant_id

),

final as (

    select
        month_start,
        tenant_id,

        product,
        plan,
        '{{ var("reporting_currency") }}' as currency,

        cast(round(case when count(usage_cents) = count(*) then sum(usage_cents) end) as bigint)
            as usage_revenue_cents,

        {{ add_months('month_start', 1) }} <= running_date as is_complete
    from valued
    group by month_start, tenant_id, product, plan, running_date

)

select * from final
