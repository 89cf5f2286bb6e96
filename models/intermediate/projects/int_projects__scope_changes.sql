-- Changes of scope that were asked for and not refused.
with scope_changes as (

    select * from {{ ref('stg_projectflo__scope_changes') }}
    where coalesce(lower(status), '') <> 'rejected'

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

final as (

    select
        scope_changes.scope_change_id,
        scope_changes.tenant_id,
        scope_changes.project_id,

        {{ local_date('scope_changes.requested_at', 'tenants.timezone') }} as requested_on
    from scope_changes
    inner join tenants on scope_changes.tenant_id = tenants.tenant_id

)

select * from final
