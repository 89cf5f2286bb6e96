with projects as (

    select
        tenant_id,
        sum(total_revenue_cents) as revenue_cents,
        sum(total_costs_cents) as costs_cents
    from {{ ref('profitability_analysis') }}
    group by tenant_id

),

services as (

    select
        tenant_id,
        sum(revenue_cents) as revenue_cents,
        sum(costs_cents) as costs_cents
    from {{ ref('service_profitability') }}
    group by tenant_id

),

clients as (

    select
        tenant_id,
        sum(revenue_cents) as revenue_cents,
        sum(costs_cents) as costs_cents
    from {{ ref('client_profitability') }}
    group by tenant_id

)

select
    projects.tenant_id,
    projects.revenue_cents,
    services.revenue_cents as services_revenue_cents,
    clients.revenue_cents as clients_revenue_cents,
    projects.costs_cents,
    services.costs_cents as services_costs_cents,
    clients.costs_cents as clients_costs_cents
from projects
full outer join services on projects.tenant_id = services.tenant_id
full outer join clients on projects.tenant_id = clients.tenant_id
where
    coalesce(projects.revenue_cents, 0) <> coalesce(services.revenue_cents, 0)
    or coalesce(projects.costs_cents, 0) <> coalesce(services.costs_cents, 0)
    or coalesce(projects.revenue_cents, 0) <> coalesce(clients.revenue_cents, 0)
    or coalesce(projects.costs_cents, 0) <> coalesce(clients.costs_cents, 0)
