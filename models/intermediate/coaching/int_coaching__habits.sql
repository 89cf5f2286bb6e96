-- Habits as their source says of them in the end. A row that the source deleted stays in its history: until then the
-- habit was kept.
with versions as (

    select * from {{ ref('stg_upcoach__habit_versions') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

newest as (

    select
        tenant_id,
        habit_id,
        max(version_number) as version_number
    from versions
    group by tenant_id, habit_id

),

dated as (

    select
        versions.tenant_id,
        versions.habit_id,
        coalesce(versions.cadence, 'daily') = 'weekly' as is_weekly,
        {{ local_date('coalesce(versions.created_at, versions.committed_at)', 'tenants.timezone') }} as first_date,
        {{ local_date('versions.archived_at', 'tenants.timezone') }} as archived_date,
        case
            when versions.is_deleted then {{ local_date('versions.replaced_at', 'tenants.timezone') }}
        end as removed_date,
        {{ as_of_date('tenants.timezone') }} as running_date
    from versions
    inner join newest
        on
            versions.tenant_id = newest.tenant_id
            and versions.habit_id = newest.habit_id
            and versions.version_number = newest.version_number
    inner join tenants on versions.tenant_id = tenants.tenant_id

),

final as (

    select
        tenant_id,
        habit_id,

        is_weekly,

        first_date,
        case
            when removed_date < archived_date then removed_date
            else coalesce(archived_date, removed_date)
        end as end_date,
        running_date
    from dated

)

select * from final
