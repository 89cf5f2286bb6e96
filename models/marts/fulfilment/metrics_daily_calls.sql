{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

calls as (

    select * from {{ ref('int_fulfilment__calls') }}
    where {{ is_affected('tenant_id', 'date_key') }}

),

calendar as (

    select * from {{ ref('int_fulfilment__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

counted as (

    select
        tenant_id,
        date_key as metric_date,
        service_code,
        country_code,
        count(*) as calls_attempted,
        {{ count_if('is_answered') }} as calls_answered,
        {{ count_if('is_completed') }} as calls_completed,
        {{ count_if('is_dropped') }} as calls_dropped,
        {{ count_if('is_recorded') }} as calls_recorded,
        sum(duration_seconds) as duration_seconds_total,
        {{ duration_columns('duration', 'is_answered', 'duration_seconds') }}
    from calls
    group by tenant_id, date_key, service_code, country_code

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,
        counted.service_code,
        counted.country_code,

        counted.calls_attempted,
        counted.calls_answered,
        counted.calls_completed,
        counted.calls_dropped,
        counted.calls_recorded,
        case
            when calendar.is_complete then {{ rate('counted.calls_answered', 'counted.calls_attempted') }}
        end as answer_rate,
        case
            when calendar.is_complete then {{ rate('counted.calls_completed', 'counted.calls_answered') }}
        end as completion_rate,
        case
            when calendar.is_complete then {{ rate('counted.calls_dropped', 'counted.calls_answered') }}
        end as drop_rate,
        case
            when calendar.is_complete then {{ rate('counted.calls_recorded', 'counted.calls_answered') }}
        end as recording_rate,
        round(counted.duration_seconds_total, 3) as duration_seconds_total,
        counted.duration_seconds_avg,
        counted.duration_seconds_p50,
        counted.duration_seconds_p95,

        calendar.is_complete
    from counted
    inner join calendar on counted.tenant_id = calendar.tenant_id and counted.metric_date = calendar.metric_date

)

select * from final
