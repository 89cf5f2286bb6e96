{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

calendar as (

    select * from {{ ref('int_engagement__calendar') }}

),

feature_events as (

    select * from {{ ref('engagement_feature_events') }}

),

actions as (

    select * from {{ ref('int_engagement__user_action_days') }}
    where {{ is_affected('tenant_id', 'date_key') }}

),

kinds as (

    {{ kinds_of_actions('actions', 'feature_events', ['feature_name']) }}

),

uses as (

    select
        actions.product,
        actions.tenant_id,
        actions.date_key,
        kinds.feature_name,
        sum(actions.event_count) as usage_count,
        count(distinct actions.user_id) as unique_users_count,
        min(actions.first_event_at) as first_used_at,
        max(actions.last_event_at) as last_used_at
    from actions
    inner join kinds
        on
            actions.product = kinds.product
            and actions.event_name = kinds.event_name
            and actions.event_detail = kinds.event_detail
    group by actions.product, actions.tenant_id, actions.date_key, kinds.feature_name

),

final as (

    select
        uses.date_key as metric_date,
        uses.product,
        uses.tenant_id,
        uses.feature_name,
        cast(uses.usage_count as bigint) as usage_count,
        uses.unique_users_count,
        calendar.is_complete,
        uses.first_used_at,
        uses.last_used_at
    from uses
    inner join calendar
        on
            uses.product = calendar.product
            and uses.tenant_id = calendar.tenant_id
            and uses.date_key = calendar.metric_date

)

select * from final
