-- A tenant whose source says a time zone that nobody knows: its days are counted in UTC (rule 68).
{{ config(severity='warn') }}

select
    tenants.tenant_id,
    tenants.tenant_label,
    registered.timezone as said_timezone
from {{ ref('dim_tenant') }} as tenants
inner join {{ ref('int_core__registered_tenants') }} as registered
    on
        tenants.tenant_id = registered.tenant_id
        and tenants.product = registered.product
where not tenants.is_timezone_known
