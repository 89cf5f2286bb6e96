{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts', 'product': 'rentguy',
    }},
) }}

{%- set properties = 'facts.properties' %}

with

facts as (

    select * from {{ ref('fact_events') }} as events
    where
        product = 'rentguy'
        and event_name in ('scan.completed', 'scan.exception')
        and {{ is_affected('tenant_id', 'date_key') }}
        and {{ is_open_day('events') }}

),

calendar as (

    select * from {{ ref('int_rental__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

read as (

    select
        facts.event_id,
        facts.tenant_id,
        {{ json_text(properties, 'equipmentId') }} as equipment_source_id,
        facts.user_id,
        case facts.event_name when 'scan.completed' then 'completed' else 'exception' end as outcome,
        nullif(lower(trim({{ json_text(properties, 'statusBefore') }})), '') as status_before,
        nullif(lower(trim({{ json_text(properties, 'statusAfter') }})), '') as status_after,
        nullif(lower(trim({{ json_text(properties, 'reason') }})), '') as reason,
        facts.date_key,
        facts.occurred_at
    from facts
    inner join calendar on facts.tenant_id = calendar.tenant_id and facts.date_key = calendar.metric_date
    where calendar.known_until_at is null or facts.occurred_at <= calendar.known_until_at

),

open_days as (

    select
        event_id as scan_id,
        tenant_id,
        {{ entity_uuid('rentguy', 'equipment', 'equipment_source_id') }} as equipment_id,
        user_id,

        outcome,
        status_before,
        status_after,
        case when outcome = 'exception' then coalesce(reason, 'unknown') end as exception_reason,

        coalesce(status_before <> status_after, false) as is_status_change,

        date_key,
        occurred_at as scanned_at
    from read

),

final as (

    {{ open_and_closed_days([
        'scan_id', 'tenant_id', 'equipment_id', 'user_id', 'outcome', 'status_before',
        'status_after', 'exception_reason', 'is_status_change', 'date_key', 'scanned_at',
    ]) }}

)

select * from final
