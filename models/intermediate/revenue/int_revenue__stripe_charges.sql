{{ config(
    materialized='incremental',
    indexes=[
        {'columns': ['charge_key']},
        {'columns': ['entity_key']},
        {'columns': ['told_entity_key']},
        {'columns': ['invoice_key']},
        {'columns': ['payment_key']},
    ],
    meta={'affected': {
        'key': ['charge_key'],
        'within': 'account',
        'notes': {'entity_key': 'entity_key'},
        'through': ['loads', 'int_revenue__stripe_invoice_events'],
        'by': 'stripe_charges_of_customers',
    }},
) }}

-- What live events tell of charges, and whose each charge is: the customer's whom any of its events names, else the
-- customer's whose invoice it pays, so that an invoice and its charge are never two customers'.
with events as (

    select
        *,
        {{ stripe_key('account', 'charge_source_id') }} as charge_key,
        {{ stripe_key('account', 'invoice_source_id') }} as invoice_key,
        {{ stripe_key('account', 'payment_intent_source_id') }} as payment_key
    from {{ ref('stg_stripe__charge_events') }}
    where
        is_live
        and charge_source_id is not null
        and {{ is_affected(told_entity_key='entity_key') }}
        and {{ is_affected(charge_key=stripe_key('account', 'charge_source_id')) }}

),

invoice_events as (

    select * from {{ ref('int_revenue__stripe_invoice_events') }}
    where customer_source_id is not null

),

named as (

    select
        *,
        min(customer_source_id) over (partition by charge_key) as named_customer_source_id,
        min(case when customer_source_id is not null then entity_key end) over (
            partition by charge_key
        ) as named_entity_key
    from events

),

invoiced as (
    {% for name in ['charge_key', 'invoice_key', 'payment_key'] %}

    select
        named.charge_key,
        invoice_events.customer_source_id,
        invoice_events.entity_key
    from named
    inner join invoice_events on named.{{ name }} = invoice_events.{{ name }}
    where named.named_customer_source_id is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

payers as (

    select
        charge_key,
        min(customer_source_id) as customer_source_id,
        min(entity_key) as entity_key
    from invoiced
    group by charge_key

),

final as (

    select
        named.charge_key,
        coalesce(named.named_entity_key, payers.entity_key, named.entity_key) as entity_key,
        named.entity_key as told_entity_key,
        named.account,
        named.product,
        named.event_id,
        named.event_type,
        named.charge_source_id,
        coalesce(named.named_customer_source_id, payers.customer_source_id) as customer_source_id,
        named.invoice_source_id,
        named.invoice_key,
        named.payment_intent_source_id,
        named.payment_key,
        named.status,
        named.failure_code,
        named.currency,
        named.amount_source_cents,
        named.captured_source_cents,
        named.refunded_source_cents,
        named.is_paid,
        named.is_captured,
        named.charged_at,
        named.created_at,
        named.received_at
    from named
    left join payers on named.charge_key = payers.charge_key

)

select * from final
