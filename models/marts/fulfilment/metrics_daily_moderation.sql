{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

steps as (

    select * from {{ ref('int_fulfilment__moderation_steps') }}
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
        {{ count_if("step = 'flagged'") }} as content_flagged,
        {{ count_if("step = 'decided'") }} as decisions,
        {{ count_if("step = 'appealed'") }} as appeals,
        {{ duration_columns('decision_latency', "step = 'decided'") }}
    from steps
    group by tenant_id, date_key

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,

        counted.content_flagged,
        counted.decisions,
        counted.appeals,
        case when calendar.is_complete then {{ rate('counted.appeals', 'counted.decisions') }} end as appeal_rate,
        counted.decision_latency_seconds_avg,
        counted.decision_latency_seconds_p50,
        counted.decision_latency_seconds_p95,

        calendar.is_complete
    from counted
    inner join calendar on counted.tenant_id = calendar.tenant_id and counted.metric_date = calendar.metric_date

)

select * from final
