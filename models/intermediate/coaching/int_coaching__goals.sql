-- Goals as their source says of them in the end. A row that the source deleted stays in its history: until then the
-- goal was there.
with versions as (

    select * from {{ ref('stg_upcoach__goal_versions') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

users as (

    select * from {{ ref('dim_user') }}
    where product = 'upcoach'

),

newest as (

    select
        tenant_id,
        goal_id,
        max(version_number) as version_number
    from versions
    group by tenant_id, goal_id

),

dated as (

    select
        versions.tenant_id,
        versions.goal_id,
        versions.user_id,
        {{ local_date('coalesce(versions.created_at, versions.committed_at)', 'tenants.timezone') }} as created_date,
        case
            when versions.status = 'completed'
                then {{ local_date('versions.completed_at', 'tenants.timezone') }}
        end as completed_date,
        {{ local_date('versions.deleted_at', 'tenants.timezone') }} as marked_date,
        case
            when versions.is_deleted then {{ local_date('versions.replaced_at', 'tenants.timezone') }}
        end as removed_date
    from versions
    inner join newest
        on
            versions.tenant_id = newest.tenant_id
            and versions.goal_id = newest.goal_id
            and versions.version_number = newest.version_number
    inner join tenants on versions.tenant_id = tenants.tenant_id

),

final as (

    select
        dated.tenant_id,
        dated.goal_id,
        dated.user_id,

        -- whom no register knows was there when they first set a goal
        {{ week_start(
            'coalesce(users.signup_date, min(dated.created_date) over (partition by dated.tenant_id, dated.user_id))'
        ) }} as cohort_week,
        dated.created_date,
        case
            when dated.completed_date < dated.created_date then dated.created_date
            else dated.completed_date
        end as completed_date,
        case
            when dated.removed_date < dated.marked_date then dated.removed_date
            else coalesce(dated.marked_date, dated.removed_date)
        end as deleted_date
    from dated
    left join users on dated.tenant_id = users.tenant_id and dated.user_id = users.user_id

)

select * from final
