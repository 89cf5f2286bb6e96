{{ config(
    materialized='incremental',
    indexes=[{'columns': ['month_start', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'month_start'], 'days': 'local', 'grain': 'month'}},
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
        {{ month_start('date_key') }} as month_start,
        count(*) as active_days
    from user_days
    where {{ is_affected('tenant_id', 'date_key') }}
    group by product, tenant_id, user_id, {{ month_start('date_key') }}

)

select * from final
