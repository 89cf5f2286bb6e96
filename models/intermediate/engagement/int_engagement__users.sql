{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id']}, {'columns': ['first_date', 'tenant_id']}],
    meta={'affected': {'by': 'affected_engaged_users', 'columns': ['tenant_id', 'user_id']}},
) }}

with

user_days as (

    select * from {{ ref('int_engagement__user_days') }}

),

active as (

    select
        product,
        tenant_id,
        user_id,
        min(date_key) as first_date,
        max(date_key) as last_date
    from user_days
    where {{ is_affected('tenant_id', 'user_id') }}
    group by product, tenant_id, user_id

),

final as (

    select
        active.*,
        {% if is_incremental() %}
        case
            when known.first_date = active.first_date then known.first_date_load_id
            else cast({{ load_bound() }} as bigint)
        end as first_date_load_id
        {% else %}
        cast({{ load_bound() }} as bigint) as first_date_load_id
        {% endif %}
    from active
    {% if is_incremental() %}
    left join {{ this }} as known
        on
            active.product = known.product
            and active.tenant_id = known.tenant_id
            and active.user_id = known.user_id
    {% endif %}

)

select * from final
