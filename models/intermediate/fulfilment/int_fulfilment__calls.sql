{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}, {'columns': ['tenant_id', 'entity_key']}],
    meta={'affected': {
        'key': ['tenant_id', 'entity_key'],
        'notes': {'local_day': 'date_key'},
    }},
) }}

with

events as (

    select
        *,
        row_number() over (partition by tenant_id, entity_key order by occurred_at, event_id) as position
    from {{ ref('int_fulfilment__events') }}
    where event_domain = 'calls' and {{ is_affected('tenant_id', 'entity_key') }}

),

calls as (

    select
        tenant_id,
        entity_key,
        coalesce({{ first_named('service_code', 'position') }}, 'unknown') as service_code,
        coalesce({{ first_named('country_code', 'position') }}, 'unknown') as country_code,
        max(duration_seconds) as told_seconds,
        {{ count_if("event_name = 'call_answered'") }} > 0 as is_answered,
        {{ count_if("event_name = 'call_ended'") }} > 0 as has_ended,
        {{ count_if("event_name = 'call_dropped'") }} > 0 as is_dropped,
        {{ count_if("is_recorded") }} > 0 as is_recorded,
        min(case when event_name = 'call_answered' then occurred_at end) as answered_at,
        max(case when event_name in ('call_ended', 'call_dropped') then occurred_at end) as ended_at,
        -- where the start itself was lost, the first that is known
        coalesce(min(case when event_name = 'call_started' then date_key end), min(date_key)) as date_key
    from events
    group by tenant_id, entity_key

),

final as (

    select
        tenant_id,
        entity_key,

        service_code,
        country_code,

        case
            when is_answered then coalesce(told_seconds, {{ seconds_until('answered_at', 'ended_at') }})
        end as duration_seconds,

        is_answered,
        is_answered and has_ended and not is_dropped as is_completed,
        is_answered and is_dropped as is_dropped,
        is_answered and is_recorded as is_recorded,

        date_key
    from calls

)

select * from final
