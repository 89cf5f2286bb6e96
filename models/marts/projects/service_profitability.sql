with cells as (

    select * from {{ ref('int_projects__profit_cells') }}

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
        tenant_id,

        month_start,
        deliverable_type,

        revenue_cents,
        costs_cents,
        revenue_cents - costs_cents as gross_profit_cents,
        {{ rate('(revenue_cents - costs_cents)', 'revenue_cents') }} as profit_margin_rate
    from summed

)

select * from final
