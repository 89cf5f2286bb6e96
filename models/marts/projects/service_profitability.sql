with cells as (

    select * from {{ ref('int_projects__profit_cells') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

summed as (

    select
        tenant_id,
        month_start,
        deliverable_type,
        cast(coalesce({{ sum_if("measure = 'revenue'", 'amount_cents') }}, 0) as bigint) as revenue_cents,
        cast(coalesce({{ sum_if("measure <> 'revenue'", 'amount_cents') }}, 0) as bigint) as costs_cents
    from cells
    group by tenant_id, month_start, deliverable_type

),

final as (

    select
        summed.tenant_id,

        summed.month_start,
        summed.deliverable_type,

        summed.revenue_cents,
        summed.costs_cents,
        summed.revenue_cents - summed.costs_cents as gross_profit_cents,
        case
            when {{ add_months('summed.month_start', 1) }} <= tenants.running_date
                then {{ rate('(summed.revenue_cents - summed.costs_cents)', 'summed.revenue_cents') }}
        end as profit_margin_rate,

        {{ add_months('summed.month_start', 1) }} <= tenants.running_date as is_complete
    from summed
    inner join tenants on summed.tenant_id = tenants.tenant_id

)

select * from final
