{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts'}},
) }}

with

facts as (

    select * from {{ ref('fact_events') }} as events
    where
        event_name = 'survey_answered'
        -- an answer that a studio's client gave stands in ProjectFlo's own table, which the event merely tells of
        and product <> 'projectflo'
        and {{ is_affected('tenant_id', 'date_key') }}
        and {{ is_open_day('events') }}

),

open_days as (

    select
        product,
        tenant_id,
        event_id,
        user_id,

        nullif(lower(trim({{ json_text('properties', 'survey') }})), '') as survey,
        {{ json_number('properties', 'score') }} as score,

        date_key,
        occurred_at,
        received_at
    from facts

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'event_id', 'user_id', 'survey', 'score', 'date_key',
        'occurred_at', 'received_at',
    ]) }}

)

select * from final
