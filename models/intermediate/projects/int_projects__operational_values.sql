-- What operational metrics are made of: a numerator and a denominator for each thing that is measured, with its
-- month, project and, where it is a deliverable, those who had tasks in it.
with projects as (

    select * from {{ ref('stg_projectflo__projects') }}
    where coalesce(lower(status), '') <> 'cancelled'

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

deliverables as (

    select * from {{ ref('int_projects__deliverables') }}

),

due_dates as (

    select * from {{ ref('int_projects__judged_due_dates') }}
    where entity = 'project'

),

scope_changes as (

    select * from {{ ref('int_projects__scope_changes') }}

),

dates as (

    select distinct month_start from {{ ref('dim_date') }}

),

due as (

    select
        deliverables.tenant_id,
        deliverables.project_id,
        deliverables.deliverable_id,
        'DELIVERY_RATE' as metric_type,
        {{ month_start('deliverables.judged_due_on') }} as month_start,
        case when deliverables.is_on_time then 1 else 0 end as numerator,
        1 as denominator
    from deliverables
    inner join tenants on deliverables.tenant_id = tenants.tenant_id
    where deliverables.judged_due_on <= tenants.running_date and deliverables.is_on_time is not null

),

accepted as (

    select
        tenant_id,
        project_id,
        deliverable_id,
        'REVISION_CYCLES' as metric_type,
        {{ month_start('accepted_on') }} as month_start,
        revision_count as numerator,
        1 as denominator
    from deliverables
    where accepted_on is not null

),

delivered as (

    select
        projects.tenant_id,
        projects.project_id,
        cast(null as {{ type_uuid() }}) as deliverable_id,
        'COMPLETION_TIME' as metric_type,
        {{ month_start('projects.delivered_on') }} as month_start,
        {{ days_between('projects.started_on', 'projects.delivered_on') }} + 1 as numerator,
        {{ days_between('projects.started_on', 'due_dates.first_due_on') }} + 1 as denominator
    from projects
    inner join due_dates
        on projects.tenant_id = due_dates.tenant_id and projects.project_id = due_dates.entity_id
    where
        projects.delivered_on >= projects.started_on
        and due_dates.first_due_on >= projects.started_on

),

active as (

    select
        projects.tenant_id,
        projects.project_id,
        dates.month_start
    from projects
    inner join tenants on projects.tenant_id = tenants.tenant_id
    inner join dates
        on
            {{ month_start(
                "least(projects.started_on, " ~ local_date('projects.created_at', 'tenants.timezone') ~ ")"
            ) }} <= dates.month_start
            and coalesce(projects.delivered_on, tenants.running_date) >= dates.month_start
            and tenants.running_date >= dates.month_start

),

changed as (

    select
        active.tenant_id,
        active.project_id,
        cast(null as {{ type_uuid() }}) as deliverable_id,
        'SCOPE_CHANGE' as metric_type,
        active.month_start,
        count(scope_changes.scope_change_id) as numerator,
        1 as denominator
    from active
    left join scope_changes
        on
            active.tenant_id = scope_changes.tenant_id
            and active.project_id = scope_changes.project_id
            and active.month_start = {{ month_start('scope_changes.requested_on') }}
    group by active.tenant_id, active.project_id, active.month_start

),

final as (

    select * from due

    union all

    select * from accepted

    union all

    select * from delivered

    union all

    select * from changed

)

select * from final
