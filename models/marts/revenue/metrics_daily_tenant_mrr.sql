{%- set timezone = "coalesce(tenants.timezone, 'UTC')" -%}

with daily as (

    select * from {{ ref('int_revenue__daily_mrr') }}
    where {{ is_published_policy() }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

remaindered as (

    select
        *,
        {{ mrr_bridge_remainders() }}
    from daily

),

final as (

    select
        daily.metric_date,
        daily.product,
        daily.policy,
        daily.tenant_id,

        '{{ var("reporting_currency") }}' as currency,

        {{ mrr_bridge() }},

        {{ day_start(add_days('daily.metric_date', 1), timezone) }} <= {{ as_of() }} as is_complete
    from remaindered as daily
    left join tenants on daily.tenant_id = tenants.tenant_id
    where daily.metric_date <= {{ as_of_date(timezone) }}

)

select * from final
