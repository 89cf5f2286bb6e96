{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

steps as (

    select * from {{ ref('int_fulfilment__content_steps') }}
    where {{ is_affected('tenant_id', 'date_key') }}

),

signs as (

    select * from {{ ref('zodiac_signs') }}

),

calendar as (

    select * from {{ ref('int_fulfilment__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

counted as (

    select
        steps.tenant_id,
        steps.date_key as metric_date,
        {{ count_distinct_if("steps.step = 'published'", 'signs.zodiac_sign') }} as signs_published,
        {{ count_if("steps.step = 'uploaded'") }} as uploaded,
        {{ count_if("steps.step = 'approved'") }} as approved,
        {{ count_if("steps.step = 'rejected'") }} as rejected,
        {{ duration_columns('approval_latency', "steps.step = 'judged'") }}
    from steps
    left join signs on steps.zodiac_sign = signs.zodiac_sign
    group by steps.tenant_id, steps.date_key

),

known as (

    select count(*) as sign_count from signs

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,

        counted.signs_published,
        case
            when calendar.is_complete then {{ rate('counted.signs_published', 'known.sign_count') }}
        end as coverage_rate,
        counted.uploaded,
        counted.approved,
        counted.rejected,
        case
            when calendar.is_complete then {{ rate('counted.approved', 'counted.approved + counted.rejected') }}
        end as approval_rate,
        counted.approval_latency_seconds_avg,
        counted.approval_latency_seconds_p50,
        counted.approval_latency_seconds_p95,

        calendar.is_complete
    from counted
    inner join calendar on counted.tenant_id = calendar.tenant_id and counted.metric_date = calendar.metric_date
    cross join known

)

select * from final
