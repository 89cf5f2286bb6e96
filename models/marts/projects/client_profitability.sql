with projects as (

    select * from {{ ref('stg_projectflo__projects') }}

),

cells as (

    select * from {{ ref('int_projects__profit_cells') }}

),

per_project as (

    select
        tenant_id,
        project_id,
        coalesce({{ sum_if("measure = 'revenue'", 'amount_cents') }}, 0) as revenue_cents,
        coalesce({{ sum_if("measure <> 'revenue'", 'amount_cents') }}, 0) as costs_cents
    from cells
    group by tenant_id, project_id

),

summed as (

    select
        projects.tenant_id,
        -- a project without a client still counts, under an id that no client has
        coalesce(projects.client_id, {{ entity_uuid('projectflo', 'client', "'unknown'") }}) as client_id,
        count(*) as projects,
        cast(coalesce(sum(per_project.revenue_cents), 0) as bigint) as revenue_cents,
        cast(coalesce(sum(per_project.costs_cents), 0) as bigint) as costs_cents
    from projects
    left join per_project
        on projects.tenant_id = per_project.tenant_id and projects.project_id = per_project.project_id
    group by
        projects.tenant_id,
        coalesce(projects.client_id, {{ entity_uuid('projectflo', 'client', "'unknown'") }})

),

final as (

    select
        client_id,
        tenant_id,

        projects,
        revenue_cents,
        costs_cents,
        revenue_cents - costs_cents as gross_profit_cents,
        {{ rate('(revenue_cents - costs_cents)', 'revenue_cents') }} as profit_margin_rate,
        rank() over (partition by tenant_id order by revenue_cents - costs_cents desc) as rank_number
    from summed

)

select * from final
