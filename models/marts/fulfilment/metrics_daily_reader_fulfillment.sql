{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

steps as (

    select * from {{ ref('int_fulfilment__order_steps') }}
    where reader_id is not null and {{ is_affected('tenant_id', 'date_key') }}

),

calendar as (

    select * from {{ ref('int_fulfilment__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

counted as (

    select
        tenant_id,
        date_key as metric_date,
        reader_id,
        {{ count_if("step = 'assigned to reader'") }} as orders_assigned,
        {{ count_if("step = 'completed'") }} as orders_completed,
        {{ count_if("step = 'approved'") }} as approvals,
        {{ count_if("step = 'rejected'") }} as rejections,
        {{ duration_columns('ttf_delivery', "step = 'completed'") }}
    from steps
    where step in ('assigned to reader', 'completed', 'approved', 'rejected')
    group by tenant_id, date_key, reader_id

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,
        counted.reader_id,

        counted.orders_assigned,
        counted.orders_completed,
        counted.approvals,
        counted.rejections,
        case
            when calendar.is_complete
                then {{ rate('counted.approvals', 'counted.approvals + counted.rejections') }}
        end as approval_rate,
        counted.ttf_delivery_seconds_avg,
        counted.ttf_delivery_seconds_p50,
        counted.ttf_delivery_seconds_p95,

        calendar.is_complete
    from counted
    inner join calendar on counted.tenant_id = calendar.tenant_id and counted.metric_date = calendar.metric_date

)

select * from final
