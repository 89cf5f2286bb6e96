{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

steps as (

    select * from {{ ref('int_fulfilment__order_steps') }}
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
        {{ count_if("step = 'created'") }} as orders_created,
        {{ count_if("step = 'assigned'") }} as orders_assigned,
        {{ count_if("step = 'completed'") }} as orders_completed,
        {{ count_if("step = 'cancelled'") }} as orders_cancelled,
        {{ count_if("step = 'approved'") }} as approvals,
        {{ count_if("step = 'rejected'") }} as rejections,
        {{ count_distinct_if("step in ('approved', 'rejected')", 'entity_key') }} as orders_decided,
        {{ count_distinct_if(
            "step in ('approved', 'rejected') and rejection_count >= 2", 'entity_key'
        ) }} as rejection_loop_orders,
        {{ duration_columns('ttf_response', "step = 'assigned'") }},
        {{ duration_columns('ttf_delivery', "step = 'completed'") }},
        {{ duration_columns('ttf_approval', "step = 'judged'") }}
    from steps
    -- another reader for an order that has been assigned counts for readers alone
    where step <> 'assigned to reader'
    group by tenant_id, date_key, service_code, country_code

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,
        counted.service_code,
        counted.country_code,

        counted.orders_created,
        counted.orders_assigned,
        counted.orders_completed,
        counted.orders_cancelled,
        counted.approvals,
        counted.rejections,
        case
            when calendar.is_complete
                then {{ rate('counted.approvals', 'counted.approvals + counted.rejections') }}
        end as approval_rate,
        counted.orders_decided,
        counted.rejection_loop_orders,
        case
            when calendar.is_complete then {{ rate('counted.rejection_loop_orders', 'counted.orders_decided') }}
        end as rejection_loop_rate,
        counted.ttf_response_seconds_avg,
        counted.ttf_response_seconds_p50,
        counted.ttf_response_seconds_p95,
        counted.ttf_delivery_seconds_avg,
        counted.ttf_delivery_seconds_p50,
        counted.ttf_delivery_seconds_p95,
        counted.ttf_approval_seconds_avg,
        counted.ttf_approval_seconds_p50,
        counted.ttf_approval_seconds_p95,

        calendar.is_complete
    from counted
    inner join calendar on counted.tenant_id = calendar.tenant_id and counted.metric_date = calendar.metric_date

)

select * from final
