{{ config(severity='warn') }}

select
    tenants.tenant_id,
    tenants.tenant_label,
    stated.stated_timezone
from {{ ref('dim_tenant') }} as tenants
left join {{ ref('int_core__stated_timezones') }} as stated on tenants.tenant_id = stated.tenant_id
where not tenants.is_timezone_known
