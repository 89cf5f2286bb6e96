{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'customer_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'customer_id'],
        'by': 'tenants_customers_of_zones_and_rates',
        'through': ['int_revenue__subscription_periods', 'int_core__tenant_timezones', 'int_revenue__fx_daily'],
    }},
) }}

with periods as (

    select * from {{ ref('int_revenue__subscription_periods') }}
    where
        {{ is_affected('tenant_id', 'customer_id') }}
        and {{ is_published_policy() }}

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

final as (

    select
        periods.subscription_id,
        periods.customer_id,
        periods.tenant_id,
        periods.user_id,

        periods.product,
        periods.provider,
        periods.policy,
        periods.status,
        periods.plan,
        periods.billing_interval,
        cast(periods.interval_count as bigint) as interval_count,
        periods.currency,

        cast(periods.quantity as bigint) as quantity,
        {{ published_money('periods.mrr_source_cents') }} as mrr_source_cents,
        {{ published_money(
            "periods.mrr_source_cents * " ~ fx_rate('periods.currency', 'rates.rate')
        ) }} as mrr_cents,

        periods.is_at_risk,

        periods.valid_from,
        periods.valid_to
    from periods
    left join tenants on periods.tenant_id = tenants.tenant_id
    left join rates
        on
            periods.currency = rates.currency
            and {{ local_date('periods.valid_from', "coalesce(tenants.timezone, 'UTC')") }}
            = rates.rate_date

)

select * from final
