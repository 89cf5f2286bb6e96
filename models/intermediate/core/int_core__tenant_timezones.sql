{{ config(
    materialized='incremental',
    meta={'affected': {'key': ['tenant_id'], 'whole': true}},
) }}

with tenants as (

    select * from {{ ref('dim_tenant') }}

),

final as (

    select
        tenant_id,
        timezone
    from tenants

)

select * from final
