{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

payments as (

    select * from {{ ref('int_fulfilment__payments') }}
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
        provider,
        country_code,
        currency,
        {{ count_if("kind = 'attempt'") }} as attempts,
        {{ count_if('is_success') }} as successes,
        {{ count_if('is_failure') }} as failures,
        {{ count_if('is_fallback') }} as fallback_attempts,
        {{ count_if("kind = 'stray answer'") }} as stray_answers,
        {{ count_if("kind = 'refund'") }} as refunds,
        cast(coalesce({{ sum_if('is_success', 'amount_cents') }}, 0) as bigint) as amount_cents,
        cast(coalesce({{ sum_if("kind = 'refund'", 'amount_cents') }}, 0) as bigint) as refunded_cents
    from payments
    group by tenant_id, date_key, provider, country_code, currency

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,
        counted.provider,
        counted.country_code,
        counted.currency,

        counted.attempts,
        counted.successes,
        counted.failures,
        counted.fallback_attempts,
        counted.stray_answers,
        counted.refunds,
        case
            when calendar.is_complete then {{ rate('counted.successes', 'counted.attempts') }}
        end as success_rate,
        case
            when calendar.is_complete then {{ rate('counted.fallback_attempts', 'counted.attempts') }}
        end as fallback_rate,
        case
            when calendar.is_complete then {{ rate('counted.refunds', 'counted.successes') }}
        end as refund_rate,
        counted.amount_cents,
        counted.refunded_cents,
        {{ published_money(
            'case when calendar.is_complete then ' ~ rate('counted.amount_cents', 'counted.successes') ~ ' end'
        ) }} as average_transaction_cents,

        calendar.is_complete
    from counted
    inner join calendar on counted.tenant_id = calendar.tenant_id and counted.metric_date = calendar.metric_date

)

select * from final
