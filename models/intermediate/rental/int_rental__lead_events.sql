{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts', 'product': 'rentguy',
    }},
) }}

with

facts as (

    select * from {{ ref('fact_events') }} as events
    where
        product = 'rentguy'
        and event_name in ('lead_submitted', 'lead_stage_changed')
        and {{ is_affected('tenant_id', 'date_key') }}
        and {{ is_open_day('events') }}

),

open_days as (

    select
        tenant_id,
        event_id,

        event_name,
        {{ json_text('properties', 'raw_channel') }} as raw_channel,
        nullif(lower(trim({{ json_text('properties', 'stage') }})), '') as stage,
        {{ json_text('properties', 'email') }} as email_token,
        {{ json_text('properties', 'phone') }} as phone_token,

        date_key,
        occurred_at
    from facts

),

final as (

    {{ open_and_closed_days([
        'tenant_id', 'event_id', 'event_name', 'raw_channel', 'stage', 'email_token',
        'phone_token', 'date_key', 'occurred_at',
    ]) }}

)

select * from final
