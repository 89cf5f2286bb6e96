{{ config(
    materialized='incremental',
    indexes=[
        {'columns': ['entity_key']},
        {'columns': ['invoice_key']},
        {'columns': ['charge_key']},
        {'columns': ['payment_key']},
    ],
    meta={'affected': {'key': ['entity_key'], 'within': 'account', 'through': 'loads'}},
) }}

-- What live events of invoices tell of money that was paid, and by which names it may be told elsewhere.
with events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and invoice_source_id is not null and {{ is_affected('entity_key') }}

),

final as (

    select
        entity_key,
        account,
        product,
        event_id,
        event_type,
        invoice_source_id,
        customer_source_id,
        charge_source_id,
        payment_intent_source_id,
        {{ stripe_key('account', 'invoice_source_id') }} as invoice_key,
        {{ stripe_key('account', 'charge_source_id') }} as charge_key,
        {{ stripe_key('account', 'payment_intent_source_id') }} as payment_key,
        currency,
        paid_source_cents,
        created_at
    from events

)

select * from final
