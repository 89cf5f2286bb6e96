{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id']}, {'columns': ['first_date', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'user_id'],
        'by': 'changed_user_days',
        'notes': {'local_day': 'first_date'},
        'unnoted': ['last_date'],
    }},
) }}

with

user_days as (

    select * from {{ ref('int_engagement__user_days') }}

),
{% if is_incremental() %}
known as (

    select * from {{ this }}
    where {{ is_affected('tenant_id', 'user_id') }}

),

-- the first and last day are among those known as such and those that changed
edges as (

    select
        product,
        tenant_id,
        user_id,
        date_key
    from user_days
    where {{ is_affected('tenant_id', 'user_id', day='date_key') }}

    union

    select
        user_days.product,
        user_days.tenant_id,
        user_days.user_id,
        user_days.date_key
    from known
    inner join user_days
        on
            known.product = user_days.product
            and known.tenant_id = user_days.tenant_id
            and known.user_id = user_days.user_id
            and user_days.date_key in (known.first_date, known.last_date)

),

found as (

    select
        product,
        tenant_id,
        user_id,
        min(date_key) as first_date,
        max(date_key) as last_date
    from edges
    group by product, tenant_id, user_id

),

-- unless one known as such is gone: then all days of the user are read
shrunk as (

    select known.*
    from known
    left join found
        on
            known.product = found.product
            and known.tenant_id = found.tenant_id
            and known.user_id = found.user_id
    where
        found.user_id is null
        or found.first_date > known.first_date
        or found.last_date < known.last_date

),

active_days as (

    select * from edges

    union all

    select
        user_days.product,
        user_days.tenant_id,
        user_days.user_id,
        user_days.date_key
    from shrunk
    inner join user_days
        on
            shrunk.product = user_days.product
            and shrunk.tenant_id = user_days.tenant_id
            and shrunk.user_id = user_days.user_id

),
{% else %}
active_days as (

    select * from user_days

),
{% endif %}
final as (

    select
        product,
        tenant_id,
        user_id,
        min(date_key) as first_date,
        max(date_key) as last_date
    from active_days
    group by product, tenant_id, user_id

)

select * from final
