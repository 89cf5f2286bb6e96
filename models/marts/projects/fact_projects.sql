with projects as (

    select * from {{ ref('stg_projectflo__projects') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

due_dates as (

    select * from {{ ref('int_projects__judged_due_dates') }}
    where entity = 'project'

),

worked as (

    select
        tenant_id,
        project_id,
        sum(hours) as actual_hours
    from {{ ref('int_projects__time_costs') }}
    group by tenant_id, project_id

),

revised as (

    select
        tenant_id,
        project_id,
        sum(revision_count) as revision_count
    from {{ ref('int_projects__deliverables') }}
    group by tenant_id, project_id

),

changed as (

    select
        tenant_id,
        project_id,
        count(*) as scope_change_count
    from {{ ref('int_projects__scope_changes') }}
    group by tenant_id, project_id

),

final as (

    select
        projects.project_id,
        projects.tenant_id,
        projects.client_id,
        projects.quote_id,

        projects.status,
        coalesce(projects.currency, tenants.currency) as currency,

        {{ to_minor_units('projects.quoted_amount', 'currencies.minor_unit_exponent') }} as quoted_cents,
        projects.estimated_hours,
        coalesce(worked.actual_hours, 0) as actual_hours,
        cast(coalesce(revised.revision_count, 0) as bigint) as revision_count,
        coalesce(changed.scope_change_count, 0) as scope_change_count,

        -- null while it may still be in time
        case
            when projects.delivered_on is not null then projects.delivered_on <= due_dates.judged_due_on
            when due_dates.judged_due_on < tenants.running_date then false
        end as is_on_time,

        projects.started_on,
        projects.due_on,
        due_dates.judged_due_on,
        projects.delivered_on
    from projects
    inner join tenants on projects.tenant_id = tenants.tenant_id
    left join currencies on coalesce(projects.currency, tenants.currency) = currencies.currency
    left join due_dates
        on projects.tenant_id = due_dates.tenant_id and projects.project_id = due_dates.entity_id
    left join worked on projects.tenant_id = worked.tenant_id and projects.project_id = worked.project_id
    left join revised on projects.tenant_id = revised.tenant_id and projects.project_id = revised.project_id
    left join changed on projects.tenant_id = changed.tenant_id and projects.project_id = changed.project_id

)

select * from final
