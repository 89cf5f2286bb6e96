{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}, {'columns': ['tenant_id', 'entity_key']}],
    meta={'affected': {
        'key': ['tenant_id', 'date_key'],
        'days': 'local',
        'closed_with': 'facts',
        'product': 'samia_tarot',
        'notes': {'entity_key': 'entity_key'},
    }},
) }}

{%- set properties = 'facts.properties' %}

with

facts as (

    select * from {{ ref('fact_events') }} as events
    where
        product = 'samia_tarot'
        and event_domain in ('orders', 'payments', 'calls', 'moderation', 'content')
        and event_name <> 'horoscope_listened'
        and {{ is_affected('tenant_id', 'date_key') }}
        and {{ is_open_day('events') }}

),

calendar as (

    select * from {{ ref('int_fulfilment__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

read as (

    select
        facts.tenant_id,
        facts.event_id,
        facts.user_id,
        facts.event_name,
        facts.event_domain,
        {{ json_text(properties, 'entity_type') }} as entity_type,
        {{ json_text(properties, 'entity_id') }} as entity_id,
        {{ json_text(properties, 'order_id') }} as order_id,
        {{ json_text(properties, 'payment_id') }} as payment_id,
        {{ json_text(properties, 'reader_id') }} as reader_source_id,
        nullif(lower(trim({{ json_text(properties, 'provider') }})), '') as provider,
        nullif(lower(trim({{ json_text(properties, 'service_code') }})), '') as service_code,
        facts.country_code,
        nullif(lower(trim({{ json_text(properties, 'currency') }})), '') as currency,
        lower(trim({{ json_text(properties, 'zodiac_sign') }})) as zodiac_sign,
        {{ json_text(properties, 'error_code') }} as error_code,
        {{ json_integer(properties, 'amount_cents') }} as amount_cents,
        {{ json_number(properties, 'duration_seconds') }} as duration_seconds,
        {{ json_boolean(properties, 'is_recorded') }} as is_recorded,
        cast({{ json_text(properties, 'horoscope_date') }} as date) as horoscope_date,
        facts.date_key,
        facts.occurred_at
    from facts
    inner join calendar on facts.tenant_id = calendar.tenant_id and facts.date_key = calendar.metric_date
    where calendar.known_until_at is null or facts.occurred_at <= calendar.known_until_at

),

-- a payment is named by itself or by its order; an entity without a type is the order where nothing else names one
named as (

    select
        *,
        cast(coalesce(horoscope_date, date_key) as {{ type_string() }}) as for_day,
        coalesce(
            payment_id,
            case
                when entity_type = 'payment' or (entity_type is null and order_id is not null) then entity_id
            end
        ) as paid_payment_id,
        coalesce(
            order_id,
            case
                when entity_type = 'order' or (entity_type is null and payment_id is null) then entity_id
            end
        ) as paid_order_id
    from read

),

open_days as (

    select
        tenant_id,
        event_id,
        -- what this text names is one order, payment, call, horoscope or piece of content; an event without a name is
        -- one by itself
        coalesce(
            case
                when event_domain = 'orders' then 'order|' || coalesce(entity_id, order_id)
                when event_domain = 'calls' then 'call|' || entity_id
                when event_domain = 'moderation' then 'content|' || entity_id
                when event_domain = 'content' then 'horoscope|' || coalesce(entity_id, zodiac_sign || '|' || for_day)
                when paid_payment_id is not null then 'payment|' || paid_payment_id
                else 'paid order|' || paid_order_id
            end,
            'event|' || cast(event_id as {{ type_string() }})
        ) as entity_key,
        case when event_domain = 'payments' then paid_order_id end as order_id,
        case when event_domain = 'payments' then paid_payment_id end as payment_id,
        case
            when reader_source_id is not null then {{ entity_uuid('samia_tarot', 'user', 'reader_source_id') }}
        end as reader_id,
        user_id,

        event_name,
        event_domain,
        provider,
        service_code,
        country_code,
        currency,
        error_code,
        zodiac_sign,

        amount_cents,
        duration_seconds,

        is_recorded,

        horoscope_date,
        date_key,
        occurred_at
    from named

),

final as (

    {{ open_and_closed_days([
        'tenant_id', 'event_id', 'entity_key', 'order_id', 'payment_id', 'reader_id', 'user_id',
        'event_name', 'event_domain', 'provider', 'service_code', 'country_code', 'currency',
        'error_code', 'zodiac_sign', 'amount_cents', 'duration_seconds', 'is_recorded',
        'horoscope_date', 'date_key', 'occurred_at',
    ]) }}

)

select * from final
