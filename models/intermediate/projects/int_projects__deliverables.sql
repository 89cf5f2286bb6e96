-- Deliverables that are or were to be delivered, with the date they are judged by and their rounds of revision.
with deliverables as (

    select * from {{ ref('stg_projectflo__deliverables') }}
    where coalesce(lower(status), '') <> 'cancelled'

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

due_dates as (

    select * from {{ ref('int_projects__judged_due_dates') }}
    where entity = 'deliverable'

),

revisions as (

    select
        tenant_id,
        deliverable_id,
        count(*) as revision_count
    from {{ ref('stg_projectflo__revisions') }}
    group by tenant_id, deliverable_id

),

final as (

    select
        deliverables.deliverable_id,
        deliverables.tenant_id,
        deliverables.project_id,

        coalesce(nullif(trim(deliverables.deliverable_type), ''), 'unknown') as deliverable_type,
        deliverables.quoted_amount,
        coalesce(revisions.revision_count, 0) as revision_count,

        -- null while it may still be in time
        case
            when deliverables.delivered_on is not null then deliverables.delivered_on <= due_dates.judged_due_on
            when due_dates.judged_due_on < tenants.running_date then false
        end as is_on_time,

        due_dates.judged_due_on,
        deliverables.delivered_on,
        deliverables.accepted_on,
        deliverables.created_at
    from deliverables
    inner join tenants on deliverables.tenant_id = tenants.tenant_id
    left join due_dates
        on deliverables.tenant_id = due_dates.tenant_id and deliverables.deliverable_id = due_dates.entity_id
    left join revisions
        on
            deliverables.tenant_id = revisions.tenant_id
            and deliverables.deliverable_id = revisions.deliverable_id

)

select * from final
