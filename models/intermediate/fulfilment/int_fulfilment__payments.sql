{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}, {'columns': ['tenant_id', 'entity_key']}],
    meta={'affected': {
        'key': ['tenant_id', 'entity_key'],
        'notes': {'local_day': 'date_key'},
    }},
) }}

with

paid as (

    select
        tenant_id,
        order_key as entity_key,
        event_id,
        payment_id,
        user_id,
        event_name,
        provider,
        country_code,
        currency,
        error_code,
        amount_cents,
        date_key,
        occurred_at
    from {{ ref('int_fulfilment__payment_events') }}
    where {{ is_affected('tenant_id', 'order_key') }}

),

events as (

    select
        *,
        row_number() over (
            partition by tenant_id, entity_key
            order by
                occurred_at,
                case event_name when 'payment_attempted' then 0 when 'refund_issued' then 2 else 1 end,
                event_id
        ) as position
    from paid

),

orders as (

    select
        tenant_id,
        entity_key,
        {{ first_named('country_code', 'position') }} as country_code,
        {{ first_named('currency', 'position') }} as currency
    from events
    group by tenant_id, entity_key

),

attempts as (

    select * from events
    where event_name = 'payment_attempted'

),

-- the last attempt of the same payment, or where one of the two names no payment, of the same order and provider
followed as (

    select
        events.tenant_id,
        events.entity_key,
        events.event_id,
        events.event_name,
        events.error_code,
        events.amount_cents,
        events.position,
        attempts.event_id as attempt_id,
        attempts.provider,
        {{ seconds_between('attempts.occurred_at', 'events.occurred_at') }} <= 24 * 60 * 60 as is_in_time,
        row_number() over (
            partition by events.tenant_id, events.entity_key, events.event_id
            order by
                case when events.payment_id = attempts.payment_id then 0 else 1 end,
                attempts.position desc
        ) as distance
    from events
    inner join attempts
        on
            events.tenant_id = attempts.tenant_id
            and events.entity_key = attempts.entity_key
            and events.position > attempts.position
            and (
                events.payment_id = attempts.payment_id
                or (
                    (events.payment_id is null or attempts.payment_id is null)
                    and coalesce(events.provider, attempts.provider, '') = coalesce(attempts.provider, '')
                )
            )
    where events.event_name <> 'payment_attempted'

),

answers as (

    select * from followed
    where distance = 1 and is_in_time and event_name in ('payment_succeeded', 'payment_failed')

),

-- an attempt that failed and then succeeded after all has succeeded
outcomes as (

    select
        tenant_id,
        entity_key,
        attempt_id,
        {{ count_if("event_name = 'payment_succeeded'") }} > 0 as is_success,
        {{ count_if("event_name = 'payment_succeeded'") }} = 0 as is_failure,
        {{ earliest_by(
            'amount_cents', "case when event_name = 'payment_succeeded' then position else position + 1000000000 end"
        ) }} as amount_cents,
        {{ latest_by('error_code', 'position') }} as error_code
    from answers
    group by tenant_id, entity_key, attempt_id

),

failures as (

    select
        attempts.tenant_id,
        attempts.entity_key,
        coalesce(attempts.provider, 'unknown') as provider,
        min(attempts.position) as position
    from attempts
    inner join outcomes
        on
            attempts.tenant_id = outcomes.tenant_id
            and attempts.entity_key = outcomes.entity_key
            and attempts.event_id = outcomes.attempt_id
            and outcomes.is_failure
    group by attempts.tenant_id, attempts.entity_key, coalesce(attempts.provider, 'unknown')

),

fallbacks as (

    select distinct
        attempts.tenant_id,
        attempts.entity_key,
        attempts.event_id
    from attempts
    inner join failures
        on
            attempts.tenant_id = failures.tenant_id
            and attempts.entity_key = failures.entity_key
            and attempts.position > failures.position
            and coalesce(attempts.provider, 'unknown') <> failures.provider

),

final as (

    select
        events.tenant_id,
        events.entity_key,
        events.event_id,
        events.user_id,
        case events.event_name
            when 'payment_attempted' then 'attempt'
            when 'refund_issued' then 'refund'
            else 'stray answer'
        end as kind,
        coalesce(events.provider, followed.provider, 'unknown') as provider,
        coalesce(events.country_code, orders.country_code, 'unknown') as country_code,
        coalesce(events.currency, orders.currency, 'unknown') as currency,
        case when outcomes.is_failure then outcomes.error_code end as failure_reason,
        events.amount_cents as told_cents,
        case
            when events.event_name = 'refund_issued' then events.amount_cents
            when outcomes.is_success then coalesce(outcomes.amount_cents, events.amount_cents)
        end as amount_cents,
        coalesce(outcomes.is_success, false) as is_success,
        coalesce(outcomes.is_failure, false) as is_failure,
        fallbacks.event_id is not null as is_fallback,
        events.date_key,
        events.occurred_at
    from events
    inner join orders on events.tenant_id = orders.tenant_id and events.entity_key = orders.entity_key
    left join followed
        on
            events.tenant_id = followed.tenant_id
            and events.entity_key = followed.entity_key
            and events.event_id = followed.event_id
            and followed.distance = 1
    left join answers
        on
            events.tenant_id = answers.tenant_id
            and events.entity_key = answers.entity_key
            and events.event_id = answers.event_id
    left join outcomes
        on
            events.tenant_id = outcomes.tenant_id
            and events.entity_key = outcomes.entity_key
            and events.event_id = outcomes.attempt_id
    left join fallbacks
        on
            events.tenant_id = fallbacks.tenant_id
            and events.entity_key = fallbacks.entity_key
            and events.event_id = fallbacks.event_id
    where answers.event_id is null

)

select * from final
