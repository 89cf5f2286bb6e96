-- Metered usage belongs to the last day of the period in which it was used, by the tenant's calendar.
with lines as (

    select * from {{ ref('int_revenue__stripe_usage_lines') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

final as (

    select
        lines.account,
        lines.event_id,
        lines.line_position,
        lines.product,
        lines.tenant_id,
        lines.plan,
        lines.currency,
        lines.usage_source_cents,
        {{ local_date(
            "coalesce(greatest(lines.period_started_at, "
            ~ add_interval('lines.period_ends_at', -1, 'second') ~ "), lines.issued_at)",
            "coalesce(tenants.timezone, 'UTC')"
        ) }} as date_key
    from lines
    left join tenants on lines.tenant_id = tenants.tenant_id

)

select * from final
