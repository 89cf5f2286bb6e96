{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}, {'columns': ['payment_id']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'notes': {'tenant_id': 'tenant_id', 'payment_id': 'payment_id'},
        'inside': ['charge_key'],
    }},
) }}

-- A charge is one attempt to pay, as its newest live event shows it. The newest invoices name neither charge nor
-- payment: where no charge tells of the money of a paid invoice, the invoice itself tells of the payment.
with events as (

    select * from {{ ref('int_revenue__stripe_charges') }}
    where {{ is_affected('entity_key') }}

),

invoice_events as (

    select * from {{ ref('int_revenue__stripe_invoice_events') }}
    where {{ is_affected('entity_key') }}

),

cash as (

    select * from {{ ref('int_revenue__stripe_cash') }}
    where cash_type = 'invoice' and {{ is_affected('entity_key') }}

),

customers as (

    select
        *,
        {{ stripe_key('account', 'customer_source_id') }} as customer_key
    from {{ ref('int_revenue__stripe_customers') }}
    where {{ is_affected('entity_key') }}

),

versions as (

    select
        *,
        row_number() over (
            partition by charge_key
            order by
                created_at desc,
                case status when 'pending' then 0 when 'failed' then 1 else 2 end desc,
                received_at desc,
                event_id desc
        ) as recency
    from events

),

-- a customer's invoice names its charge or the payment behind it; older ones are named by the charge
named_by_charge as (

    select
        entity_key || '|' || charge_key as charge_key,
        min(invoice_source_id) as invoice_source_id
    from invoice_events
    where charge_key is not null
    group by entity_key, charge_key

),

named_by_payment as (

    select
        entity_key || '|' || payment_key as payment_key,
        min(invoice_source_id) as invoice_source_id
    from invoice_events
    where payment_key is not null
    group by entity_key, payment_key

),

attempts as (

    select
        versions.entity_key,
        versions.account,
        versions.product,
        versions.charge_source_id as payment_source_id,
        versions.customer_source_id,
        coalesce(
            versions.invoice_source_id, named_by_charge.invoice_source_id, named_by_payment.invoice_source_id
        ) as invoice_source_id,
        -- what is only held on a card was not paid yet
        case
            when versions.status = 'succeeded' and not (versions.is_paid and versions.is_captured) then 'pending'
            else versions.status
        end as status,
        versions.failure_code as failure_reason,
        versions.currency,
        case
            when versions.status = 'succeeded' and versions.is_paid and versions.is_captured
                then coalesce(versions.captured_source_cents, versions.amount_source_cents)
            else versions.amount_source_cents
        end as amount_source_cents,
        coalesce(versions.charged_at, versions.created_at) as attempted_at
    from versions
    left join named_by_charge on versions.entity_key || '|' || versions.charge_key = named_by_charge.charge_key
    left join named_by_payment on versions.entity_key || '|' || versions.payment_key = named_by_payment.payment_key
    where versions.recency = 1

    union all

    select
        entity_key,
        account,
        product,
        source_id as payment_source_id,
        customer_source_id,
        source_id as invoice_source_id,
        'succeeded' as status,
        null as failure_reason,
        currency,
        cast(round(amount_source_cents) as bigint) as amount_source_cents,
        occurred_at as attempted_at
    from cash

),

final as (

    select
        attempts.entity_key,
        {{ entity_uuid(
            'attempts.product', 'payment', "attempts.account || '|' || attempts.payment_source_id", true
        ) }} as payment_id,
        {{ entity_uuid(
            'attempts.product', 'tenant', 'coalesce(customers.tenant_source_id, attempts.account)', true
        ) }} as tenant_id,
        {{ entity_uuid(
            'attempts.product', 'customer', "attempts.account || '|' || attempts.customer_source_id", true
        ) }} as customer_id,
        {{ entity_uuid(
            'attempts.product', 'invoice', "attempts.account || '|' || attempts.invoice_source_id", true
        ) }} as invoice_id,

        'stripe' as provider,
        attempts.product,
        'stripe' as processor,
        attempts.status,
        attempts.failure_reason,
        attempts.currency,

        attempts.amount_source_cents as amount_cents,

        attempts.attempted_at
    from attempts
    left join customers
        on {{ stripe_key('attempts.account', 'attempts.customer_source_id') }} = customers.customer_key

)

select * from final
