{{ config(
    materialized='incremental',
    meta={'affected': {'key': ['tenant_id'], 'whole': true}},
) }}

with

tenant_days as (

    select * from {{ ref('int_core__tenant_days') }}
    where product = 'rentguy'

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

started as (

    select
        product,
        tenant_id,
        min(first_event_at) as first_event_at
    from tenant_days
    group by product, tenant_id

),

final as (

    select
        started.product,
        started.tenant_id,
        {{ local_date('started.first_event_at', 'tenants.timezone') }} as first_date,
        {{ local_date(as_of(), 'tenants.timezone') }} as running_date,
        {{ as_of() }} as as_of_at
    from started
    inner join tenants on started.tenant_id = tenants.tenant_id

)

select * from final
