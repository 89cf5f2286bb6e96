{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {'key': ['entity_key'], 'within': 'account', 'inside': ['charge_key']}},
) }}

-- Money that came in (positive) or went back (negative) through Stripe: a charge that succeeded, and the growth of what
-- is refunded on it, which Stripe states as a running total; an invoice that was paid counts where no charge of its
-- customer tells of the same money.
with charge_events as (

    select * from {{ ref('int_revenue__stripe_charges') }}
    where {{ is_affected('entity_key') }}

),

refund_objects as (

    select * from {{ ref('int_revenue__stripe_refund_objects') }}
    where {{ is_affected('entity_key') }}

),

invoice_events as (

    select * from {{ ref('int_revenue__stripe_invoice_events') }}
    where
        {{ is_affected('entity_key') }}
        and event_type in ('invoice.paid', 'invoice.payment_succeeded')
        and paid_source_cents > 0

),

customers as (

    select
        *,
        {{ stripe_key('account', 'customer_source_id') }} as customer_key
    from {{ ref('int_revenue__stripe_customers') }}
    where {{ is_affected('entity_key') }}

),

charges as (

    select
        entity_key,
        account,
        charge_source_id,
        min(product) as product,
        min(customer_source_id) as customer_source_id,
        min(invoice_source_id) as invoice_source_id,
        min(payment_intent_source_id) as payment_intent_source_id,
        min(currency) as currency,
        -- whose payment nobody told of is known by its refund alone
        coalesce(
            min(case when event_type <> 'charge.refunded' then created_at end), min(charged_at)
        ) as occurred_at,
        max(coalesce(captured_source_cents, amount_source_cents)) as amount_source_cents
    from charge_events
    where status = 'succeeded' and is_paid and is_captured
    group by entity_key, account, charge_source_id

),

-- Stripe's times are whole seconds: of several totals told in one the smaller came first
refund_totals as (

    select
        *,
        row_number() over (
            partition by charge_key
            order by created_at desc, refunded_source_cents desc, event_id desc
        ) as telling_rank
    from charge_events

),

-- A refund that fails takes the total down again, and the next one of the same amount only brings it back. Where what
-- the refunds themselves tell comes to the total that was told last, they are it.
told_refunds as (

    select
        charge_key,
        sum(case when has_failed then 0 else amount_source_cents end) as standing_source_cents
    from refund_objects
    group by charge_key
    having max(case when has_failed then 1 else 0 end) = 1

),

told_charges as (

    select refund_totals.*
    from refund_totals
    inner join told_refunds on refund_totals.charge_key = told_refunds.charge_key
    where
        refund_totals.telling_rank = 1
        and refund_totals.refunded_source_cents = told_refunds.standing_source_cents

),

grown as (

    select
        refund_totals.entity_key,
        refund_totals.account,
        refund_totals.product,
        refund_totals.event_id as source_id,
        refund_totals.charge_source_id,
        refund_totals.customer_source_id,
        refund_totals.currency,
        refund_totals.created_at as occurred_at,
        coalesce(max(refund_totals.refunded_source_cents) over (
            partition by refund_totals.charge_key
            order by refund_totals.created_at, refund_totals.refunded_source_cents, refund_totals.event_id
            rows between unbounded preceding and 1 preceding
        ), 0) - refund_totals.refunded_source_cents as amount_source_cents
    from refund_totals
    left join told_charges on refund_totals.charge_key = told_charges.charge_key
    where refund_totals.refunded_source_cents > 0 and told_charges.charge_key is null

),

refunds as (

    select * from grown

    union all

    select
        told_charges.entity_key,
        told_charges.account,
        told_charges.product,
        refund_objects.refund_source_id as source_id,
        told_charges.charge_source_id,
        told_charges.customer_source_id,
        told_charges.currency,
        coalesce(refund_objects.refunded_at, refund_objects.told_at) as occurred_at,
        -refund_objects.amount_source_cents as amount_source_cents
    from told_charges
    inner join refund_objects on told_charges.charge_key = refund_objects.charge_key

),

invoices as (

    select
        entity_key,
        account,
        invoice_source_id,
        min(product) as product,
        min(customer_source_id) as customer_source_id,
        min(charge_source_id) as charge_source_id,
        min(payment_intent_source_id) as payment_intent_source_id,
        min(currency) as currency,
        min(created_at) as occurred_at,
        max(paid_source_cents) as amount_source_cents
    from invoice_events
    group by entity_key, account, invoice_source_id

),

-- the newest invoices name neither charge nor payment: same customer, amount and day. The nearest charges before and
-- after an invoice are found by a window, for a customer who pays the same every day has many of them.
told as (

    select
        entity_key,
        currency,
        amount_source_cents,
        occurred_at,
        occurred_at as charged_at,
        null as invoice_source_id
    from charges
    where invoice_source_id is null

    union all

    select
        entity_key,
        currency,
        amount_source_cents,
        occurred_at,
        null as charged_at,
        invoice_source_id
    from invoices
    where customer_source_id is not null and currency is not null

),

nearest as (

    select
        *,
        max(charged_at) over (
            partition by entity_key, currency, amount_source_cents
            order by occurred_at
            range between unbounded preceding and current row
        ) as charged_before_at,
        min(charged_at) over (
            partition by entity_key, currency, amount_source_cents
            order by occurred_at
            range between current row and unbounded following
        ) as charged_after_at
    from told

),

-- what either of them names is beside what the other names, each kind of name by itself
named as (
    {% for name in ['invoice_source_id', 'charge_source_id', 'payment_intent_source_id'] %}

    select
        entity_key,
        '{{ name }}' as name_kind,
        {{ name }} as source_id,
        null as invoice_source_id
    from charges
    where {{ name }} is not null

    union all

    select
        entity_key,
        '{{ name }}' as name_kind,
        {{ name }} as source_id,
        invoice_source_id
    from invoices
    where {{ name }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

named_together as (

    select
        entity_key,
        invoice_source_id,
        count(*) over (partition by entity_key, name_kind, source_id)
        > count(invoice_source_id) over (partition by entity_key, name_kind, source_id) as is_charged
    from named

),

told_invoices as (

    select entity_key || '|' || invoice_source_id as invoice_key
    from named_together
    where is_charged and invoice_source_id is not null

    union

    select entity_key || '|' || invoice_source_id as invoice_key
    from nearest
    where
        invoice_source_id is not null
        and (
            {{ seconds_between('charged_before_at', 'occurred_at') }} <= 86400
            or {{ seconds_between('occurred_at', 'charged_after_at') }} <= 86400
        )

),

invoices_without_charge as (

    select invoices.*
    from invoices
    left join told_invoices
        on invoices.entity_key || '|' || invoices.invoice_source_id = told_invoices.invoice_key
    where told_invoices.invoice_key is null

),

cash as (

    select
        entity_key,
        account,
        product,
        charge_source_id as source_id,
        'charge' as cash_type,
        charge_source_id as payment_source_id,
        customer_source_id,
        currency,
        occurred_at,
        amount_source_cents
    from charges

    union all

    select
        entity_key,
        account,
        product,
        source_id,
        'refund' as cash_type,
        charge_source_id as payment_source_id,
        customer_source_id,
        currency,
        occurred_at,
        amount_source_cents
    from refunds
    where amount_source_cents < 0

    union all

    select
        entity_key,
        account,
        product,
        invoice_source_id as source_id,
        'invoice' as cash_type,
        invoice_source_id as payment_source_id,
        customer_source_id,
        currency,
        occurred_at,
        amount_source_cents
    from invoices_without_charge

),

final as (

    select
        cash.entity_key,
        'stripe' as provider,
        cash.account,
        cash.source_id,
        cash.cash_type,
        cash.payment_source_id,
        cash.customer_source_id,
        cash.product,
        {{ entity_uuid(
            'cash.product', 'tenant', 'coalesce(customers.tenant_source_id, cash.account)', true
        ) }} as tenant_id,
        case
            when customers.user_source_id is not null
                then {{ entity_uuid('cash.product', 'user', 'customers.user_source_id', true) }}
        end as user_id,
        cash.currency,
        cast(cash.amount_source_cents as {{ type_money() }}) as amount_source_cents,
        cast(null as {{ type_money() }}) as proceeds_source_cents,
        cash.occurred_at
    from cash
    left join customers on {{ stripe_key('cash.account', 'cash.customer_source_id') }} = customers.customer_key

)

select * from final
