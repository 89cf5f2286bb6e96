with clients as (

    select * from {{ ref('stg_projectflo__clients') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

projects as (

    select
        tenant_id,
        client_id,
        count(*) as project_count,
        min(created_at) as first_project_at
    from {{ ref('stg_projectflo__projects') }}
    group by tenant_id, client_id

),

final as (

    select
        clients.client_id,
        clients.tenant_id,

        clients.country_code,
        nullif(lower(trim(clients.industry)), '') as industry,
        clients.status,

        coalesce(projects.project_count, 0) as project_count,

        clients.is_consented,
        coalesce(projects.project_count, 0) >= 2 as is_returning,

        {{ local_date('clients.created_at', 'tenants.timezone') }} as created_on,
        {{ local_date('projects.first_project_at', 'tenants.timezone') }} as first_project_on
    from clients
    inner join tenants on clients.tenant_id = tenants.tenant_id
    left join projects on clients.tenant_id = projects.tenant_id and clients.client_id = projects.client_id

)

select * from final
