-- A charge is one attempt to pay, as its newest live event shows it. The newest invoices name neither charge nor
-- payment: where no charge tells of the money of a paid invoice, the invoice itself tells of the payment.
with events as (

    select * from {{ ref('stg_stripe__charge_events') }}
    where is_live and charge_source_id is not null

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and invoice_source_id is not null

),

cash as (

    select * from {{ ref('int_revenue__cash_movements') }}
    where provider = 'stripe' and cash_type = 'invoice'

),

customers as (

    select * from {{ ref('int_revenue__stripe_customers') }}

),

versions as (

    select
        *,
        row_number() over (
            partition by account, charge_source_id
            order by
                created_at desc,
                case status when 'pending' then 0 when 'failed' then 1 else 2 end desc,
                received_at desc,
                event_id desc
        ) as recency
    from events

),

-- an invoice names its charge or the payment behind it; older ones are named by the charge
named_by_charge as (

    select
        account,
        charge_source_id,
        min(invoice_source_id) as invoice_source_id
    from invoice_events
    where charge_source_id is not null
    group by account, charge_source_id

),

named_by_payment as (

    select
        account,
        payment_intent_source_id,
        min(invoice_source_id) as invoice_source_id
    from invoice_events
    where payment_intent_source_id is not null
    group by account, payment_intent_source_id

),

attempts as (

    select
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
    left join named_by_charge
        on
            versions.account = named_by_charge.account
            and versions.charge_source_id = named_by_charge.charge_source_id
    left join named_by_payment
        on
            versions.account = named_by_payment.account
            and versions.payment_intent_source_id = named_by_payment.payment_intent_source_id
    where versions.recency = 1

    union all

    select
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
        on attempts.account = customers.account and attempts.customer_source_id = customers.customer_source_id

)

select * from final
