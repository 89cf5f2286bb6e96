-- Which coach each client had on which days, by the history of the users' table. What it said first holds from the
-- client's signup on, for nobody knows of another coach before.
with versions as (

    select * from {{ ref('stg_upcoach__user_versions') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

followed as (

    select
        versions.tenant_id,
        versions.user_id,
        versions.coach_id,
        {{ local_date(
            'case when versions.version_number = 1 then coalesce(versions.signup_at, versions.committed_at)'
            ~ ' else versions.committed_at end',
            'tenants.timezone'
        ) }} as first_date,
        {{ local_date(
            'lead(versions.committed_at) over ('
            ~ 'partition by versions.tenant_id, versions.user_id order by versions.version_number)',
            'tenants.timezone'
        ) }} as next_date,
        {{ local_date('versions.deleted_at', 'tenants.timezone') }} as marked_date,
        case
            when versions.is_deleted then {{ local_date('versions.replaced_at', 'tenants.timezone') }}
        end as removed_date
    from versions
    inner join tenants on versions.tenant_id = tenants.tenant_id

),

ended as (

    select
        tenant_id,
        user_id,
        coach_id,
        first_date,
        -- the first of: another version, the deletion of the row, a mark of deletion
        case
            when coalesce(removed_date, next_date) < coalesce(marked_date, {{ date_literal('9999-12-31') }})
                then coalesce(removed_date, next_date)
            else coalesce(marked_date, removed_date, next_date)
        end as until_date
    from followed

),

final as (

    select
        tenant_id,
        user_id,
        coach_id,
        first_date,
        until_date
    from ended
    where coach_id is not null and (until_date is null or until_date > first_date)

)

select * from final
