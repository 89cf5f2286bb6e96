{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id']}],
    meta={'affected': {'key': ['tenant_id', 'user_id'], 'by': 'changed_user_days'}},
) }}

with

actions as (

    select * from {{ ref('int_engagement__user_action_days') }}

),
{% if is_incremental() %}
known as (

    select * from {{ this }}
    where {{ is_affected('tenant_id', 'user_id') }}

),

-- the first day of these is among the days that changed
doubted as (

    select * from {{ this }}
    where {{ is_affected('tenant_id', 'user_id', day='first_date') }}

),

-- the first of each kind is among the days that changed, or still the one that was known
edges as (

    select
        product,
        tenant_id,
        user_id,
        event_name,
        event_detail,
        date_key,
        first_event_at
    from actions
    where {{ is_affected('tenant_id', 'user_id', day='date_key') }}

    union all

    select
        known.product,
        known.tenant_id,
        known.user_id,
        known.event_name,
        known.event_detail,
        known.first_date as date_key,
        known.first_event_at
    from known
    left join doubted
        on
            known.product = doubted.product
            and known.tenant_id = doubted.tenant_id
            and known.user_id = doubted.user_id
            and known.event_name = doubted.event_name
            and known.event_detail = doubted.event_detail
    where doubted.user_id is null

),

found as (

    select
        product,
        tenant_id,
        user_id,
        event_name,
        event_detail,
        min(first_event_at) as first_event_at
    from edges
    group by product, tenant_id, user_id, event_name, event_detail

),

-- unless a doubted one is gone or later now: then all days of that kind are read
shrunk as (

    select doubted.*
    from doubted
    left join found
        on
            doubted.product = found.product
            and doubted.tenant_id = found.tenant_id
            and doubted.user_id = found.user_id
            and doubted.event_name = found.event_name
            and doubted.event_detail = found.event_detail
    where found.user_id is null or found.first_event_at > doubted.first_event_at

),

first_days as (

    select * from edges

    union all

    select
        actions.product,
        actions.tenant_id,
        actions.user_id,
        actions.event_name,
        actions.event_detail,
        actions.date_key,
        actions.first_event_at
    from shrunk
    inner join actions
        on
            shrunk.product = actions.product
            and shrunk.tenant_id = actions.tenant_id
            and shrunk.user_id = actions.user_id
            and shrunk.event_name = actions.event_name
            and shrunk.event_detail = actions.event_detail

),
{% else %}
first_days as (

    select * from actions

),
{% endif %}
final as (

    select
        product,
        tenant_id,
        user_id,
        event_name,
        event_detail,
        min(date_key) as first_date,
        min(first_event_at) as first_event_at
    from first_days
    group by product, tenant_id, user_id, event_name, event_detail

)

select * from final
