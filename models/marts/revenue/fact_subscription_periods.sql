with periods as (

    select * from {{ ref('int_revenue__subscription_periods') }}
    where policy in (select policies.policy from {{ ref('mrr_policies') }} as policies)

),

tenants as (

    select * from {{ ref('dim_tenant') }}

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
