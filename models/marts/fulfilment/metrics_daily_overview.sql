{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

calendar as (

    select * from {{ ref('int_fulfilment__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

orders as (

    select
        tenant_id,
        metric_date,
        sum(orders_created) as orders_created,
        sum(orders_completed) as orders_completed,
        sum(approvals) as approvals,
        sum(rejections) as rejections
    from {{ ref('metrics_daily_fulfillment') }}
    where {{ is_affected('tenant_id', 'metric_date') }}
    group by tenant_id, metric_date

),

payments as (

    select
        tenant_id,
        metric_date,
        sum(attempts) as attempts,
        sum(successes) as successes
    from {{ ref('metrics_daily_payments') }}
    where {{ is_affected('tenant_id', 'metric_date') }}
    group by tenant_id, metric_date

),

calls as (

    select
        tenant_id,
        metric_date,
        sum(calls_attempted) as calls_attempted,
        sum(calls_answered) as calls_answered
    from {{ ref('metrics_daily_calls') }}
    where {{ is_affected('tenant_id', 'metric_date') }}
    group by tenant_id, metric_date

),

content as (

    select * from {{ ref('metrics_daily_content') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

engagement as (

    select * from {{ ref('metrics_daily_engagement') }}
    where product = 'samia_tarot' and {{ is_affected('tenant_id', 'metric_date') }}

),

final as (

    select
        calendar.metric_date,
        calendar.tenant_id,

        cast(coalesce(orders.orders_created, 0) as bigint) as orders_created,
        cast(coalesce(orders.orders_completed, 0) as bigint) as orders_completed,
        case
            when calendar.is_complete then {{ rate('orders.approvals', 'orders.approvals + orders.rejections') }}
        end as approval_rate,
        case when calendar.is_complete then {{ rate('payments.successes', 'payments.attempts') }} end
            as payment_success_rate,
        case when calendar.is_complete then {{ rate('calls.calls_answered', 'calls.calls_attempted') }} end
            as call_answer_rate,
        content.coverage_rate,
        coalesce(engagement.dau, 0) as dau,

        calendar.is_complete
    from calendar
    left join orders on calendar.tenant_id = orders.tenant_id and calendar.metric_date = orders.metric_date
    left join payments on calendar.tenant_id = payments.tenant_id and calendar.metric_date = payments.metric_date
    left join calls on calendar.tenant_id = calls.tenant_id and calendar.metric_date = calls.metric_date
    left join content on calendar.tenant_id = content.tenant_id and calendar.metric_date = content.metric_date
    left join engagement
        on calendar.tenant_id = engagement.tenant_id and calendar.metric_date = engagement.metric_date

)

select * from final
