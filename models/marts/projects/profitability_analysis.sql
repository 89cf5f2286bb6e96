with projects as (

    select * from {{ ref('stg_projectflo__projects') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

cells as (

    select * from {{ ref('int_projects__profit_cells') }}

),

summed as (

    select
        tenant_id,
        project_id,
        {{ sum_if("measure = 'revenue'", 'amount_cents') }} as revenue_cents,
        {{ sum_if("measure = 'contributor_cost'", 'amount_cents') }} as contributor_costs_cents,
        {{ sum_if("measure = 'resource_cost'", 'amount_cents') }} as resource_costs_cents
    from cells
    group by tenant_id, project_id

),

totalled as (

    select
        projects.project_id,
        projects.tenant_id,
        projects.client_id,
        tenants.as_of_at,
        cast(coalesce(summed.revenue_cents, 0) as bigint) as total_revenue_cents,
        cast(coalesce(summed.contributor_costs_cents, 0) as bigint) as contributor_costs_cents,
        cast(coalesce(summed.resource_costs_cents, 0) as bigint) as resource_costs_cents
    from projects
    inner join tenants on projects.tenant_id = tenants.tenant_id
    left join summed on projects.tenant_id = summed.tenant_id and projects.project_id = summed.project_id

),

final as (

    select
        project_id,
        tenant_id,
        client_id,

        total_revenue_cents,
        contributor_costs_cents + resource_costs_cents as total_costs_cents,
        total_revenue_cents - contributor_costs_cents - resource_costs_cents as gross_profit_cents,
        {{ rate(
            '(total_revenue_cents - contributor_costs_cents - resource_costs_cents)', 'total_revenue_cents'
        ) }} as profit_margin_rate,
        contributor_costs_cents,
        resource_costs_cents,

        as_of_at as calculated_at
    from totalled

)

select * from final
