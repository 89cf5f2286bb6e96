-- By which due date a delivery is judged (rule 114): the one that stood a week before it. A move that comes later than
-- that, from the date that stood or to the new one, changes nothing any more. What was estimated is the first date.
{%- set notice_days = 7 %}

with tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

versions as (

    select
        tenant_id,
        'project' as entity,
        project_id as entity_id,
        version_number,
        due_on,
        committed_at
    from {{ ref('stg_projectflo__project_versions') }}

    union all

    select
        tenant_id,
        'deliverable' as entity,
        deliverable_id as entity_id,
        version_number,
        due_on,
        committed_at
    from {{ ref('stg_projectflo__deliverable_versions') }}

),

dated as (

    select
        versions.tenant_id,
        versions.entity,
        versions.entity_id,
        versions.version_number,
        versions.due_on,
        {{ local_date('versions.committed_at', 'tenants.timezone') }} as committed_on,
        row_number() over (
            partition by versions.tenant_id, versions.entity, versions.entity_id
            order by versions.version_number
        ) as due_number
    from versions
    inner join tenants on versions.tenant_id = tenants.tenant_id
    where versions.due_on is not null

),

agreed as (

    select
        *,
        min(case when due_number = 1 then due_on end) over (
            partition by tenant_id, entity, entity_id
        ) as first_due_on,
        lead(committed_on) over (
            partition by tenant_id, entity, entity_id
            order by version_number
        ) as moved_on
    from dated
    where due_number = 1 or committed_on <= {{ add_days('due_on', -notice_days) }}

),

standing as (

    select
        *,
        row_number() over (
            partition by tenant_id, entity, entity_id
            order by version_number
        ) as rank_number
    from agreed
    where moved_on is null or moved_on > {{ add_days('due_on', -notice_days) }}

),

final as (

    select
        tenant_id,
        entity,
        entity_id,

        due_on as judged_due_on,
        first_due_on
    from standing
    where rank_number = 1

)

select * from final
