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

-- the first of each kind is among those known as such and those of the days that changed
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

    union

    select
        actions.product,
        actions.tenant_id,
        actions.user_id,
        actions.event_name,
        actions.event_detail,
        actions.date_key,
        actions.first_event_at
    from known
    inner join actions
        on
            known.product = actions.product
            and known.tenant_id = actions.tenant_id
            and known.user_id = actions.user_id
            and known.event_name = actions.event_name
            and known.event_detail = actions.event_detail
            and known.first_date = actions.date_key

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

-- unless one known as such is gone: then all days of that kind are read
shrunk as (

    select known.*
    from known
    left join found
        on
            known.product = found.product
            and known.tenant_id = found.tenant_id
            and known.user_id = found.user_id
            and known.event_name = found.event_name
            and known.event_detail = found.event_detail
    where found.user_id is null or found.first_event_at > known.first_event_at

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
