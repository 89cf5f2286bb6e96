{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id']}, {'columns': ['first_date', 'tenant_id']}],
    meta={'affected': {'by': 'affected_engaged_users', 'columns': ['tenant_id', 'user_id']}},
) }}

with

user_days as (

    select * from {{ ref('int_engagement__user_days') }}

),

final as (

    select
        product,
        tenant_id,
        user_id,
        min(date_key) as first_date
    from user_days
    where {{ is_affected('tenant_id', 'user_id') }}
    group by product, tenant_id, user_id

)

select * from final
