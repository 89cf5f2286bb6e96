{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local'}},
) }}

with

facts as (

    select * from {{ ref('fact_events') }}
    where
        event_name = 'survey_answered'
        -- an answer that a studio's client gave stands in ProjectFlo's own table, which the event merely tells of
        and product <> 'projectflo'
        and {{ is_affected('tenant_id', 'date_key') }}

),

final as (

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

)

select * from final
