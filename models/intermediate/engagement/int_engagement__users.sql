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
    where {{ affected_local_days(['tenant_id', 'date_key']) if is_incremental() else 'true' }}
    group by product, tenant_id, user_id

),
{% if is_incremental() %}
known as (

    select
        *,
        {{ affected_local_days(['tenant_id', 'first_date']) }} as is_first_date_affected,
        {{ affected_local_days(['tenant_id', 'last_date']) }} as is_last_date_affected
    from {{ this }}
    where {{ is_affected('tenant_id', 'user_id') }}

),

-- what lies on other days is as it was; it must be read only where an affected day was the first or last and is no more
compared as (

    select
        coalesce(active.product, known.product) as product,
        coalesce(active.tenant_id, known.tenant_id) as tenant_id,
        coalesce(active.user_id, known.user_id) as user_id,
        least(active.first_date, known.first_date) as first_date,
        greatest(active.last_date, known.last_date) as last_date,
        known.first_date as known_first_date,
        known.first_date_load_id,
        coalesce(
            (known.is_first_date_affected and coalesce(active.first_date > known.first_date, true))
            or (known.is_last_date_affected and coalesce(active.last_date < known.last_date, true)),
            false
        ) as is_shorter
    from active
    full join known
        on
            active.product = known.product
            and active.tenant_id = known.tenant_id
            and active.user_id = known.user_id

),

found as (

    select
        product,
        tenant_id,
        user_id,
        first_date,
        last_date,
        known_first_date,
        first_date_load_id
    from compared
    where not is_shorter

    union all

    select
        compared.product,
        compared.tenant_id,
        compared.user_id,
        min(user_days.date_key) as first_date,
        max(user_days.date_key) as last_date,
        compared.known_first_date,
        compared.first_date_load_id
    from compared
    inner join user_days
        on
            compared.product = user_days.product
            and compared.tenant_id = user_days.tenant_id
            and compared.user_id = user_days.user_id
    where compared.is_shorter
    group by
        compared.product, compared.tenant_id, compared.user_id,
        compared.known_first_date, compared.first_date_load_id

),

final as (

    select
        product,
        tenant_id,
        user_id,
        first_date,
        last_date,
        case
            when first_date = known_first_date then first_date_load_id
            else cast({{ load_bound() }} as bigint)
        end as first_date_load_id
    from found

)
{% else %}
final as (

    select
        active.*,
        cast({{ load_bound() }} as bigint) as first_date_load_id
    from active

)
{% endif %}
select * from final
