{{ config(
    materialized='incremental',
    meta={'affected': {
        'key': ['timezone'],
        'notes': {'entity_key': 'timezone'},
        'within': 'timezone',
        'whole': true,
    }},
) }}

-- The month that runs by as_of in each time zone of a tenant: another month, and all who pay there have one more.
with tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

zones as (

    select timezone
    from tenants
    where timezone is not null

    union

    select 'UTC' as timezone

),

final as (

    select
        timezone,
        {{ month_start(as_of_date('timezone')) }} as month_start
    from zones

)

select * from final
