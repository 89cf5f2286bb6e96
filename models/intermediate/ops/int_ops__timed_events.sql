{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts'}},
) }}

with

events as (

    select * from {{ ref('fact_events') }} as facts
    where
        (page_load_time_ms is not null or event_name = 'request_completed')
        and {{ is_affected('tenant_id', 'date_key') }}
        and {{ is_open_day('facts') }}

),

read as (

    select
        tenant_id,
        event_id,

        product,
        coalesce({{ json_text('properties', 'surface') }}, device_type, 'unknown') as surface,

        page_load_time_ms,
        case
            when event_name = 'request_completed' then {{ json_number('properties', 'duration_ms') }}
        end as response_ms,
        case when event_name = 'request_completed' then {{ json_integer('properties', 'status') }} end as status,

        event_name = 'request_completed' as is_request,

        date_key,
        {{ hour_start('occurred_at') }} as hour_at
    from events

),

open_days as (

    select
        tenant_id,
        event_id,

        product,
        surface,

        page_load_time_ms,
        response_ms,

        is_request,
        -- what the server could not do; what it refused with good reason (4xx) is an answer
        case when is_request then status >= 500 end as is_error,

        date_key,
        hour_at
    from read

),

final as (

    {{ open_and_closed_days([
        'tenant_id', 'event_id', 'product', 'surface', 'page_load_time_ms', 'response_ms',
        'is_request', 'is_error', 'date_key', 'hour_at',
    ]) }}

)

select * from final
