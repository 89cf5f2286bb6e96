{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'entity_key']}, {'columns': ['tenant_id', 'order_key']}],
    meta={'affected': {'key': ['tenant_id', 'entity_key'], 'notes': {'entity_key': 'order_key'}}},
) }}

with

events as (

    select
        *,
        row_number() over (partition by tenant_id, entity_key order by occurred_at, event_id) as position
    from {{ ref('int_fulfilment__events') }}
    where event_domain = 'payments' and {{ is_affected('tenant_id', 'entity_key') }}

),

payments as (

    select
        tenant_id,
        entity_key,
        {{ first_named('order_id', 'position') }} as order_id
    from events
    group by tenant_id, entity_key

),

final as (

    select
        events.tenant_id,
        events.entity_key,
        events.event_id,
        -- an answer may name its payment alone; a payment that never names an order is one by itself
        coalesce('paid order|' || coalesce(events.order_id, payments.order_id), events.entity_key) as order_key,
        events.payment_id,
        events.user_id,

        events.event_name,
        events.provider,
        events.country_code,
        events.currency,
        events.error_code,

        events.amount_cents,

        events.date_key,
        events.occurred_at
    from events
    inner join payments on events.tenant_id = payments.tenant_id and events.entity_key = payments.entity_key

)

select * from final
