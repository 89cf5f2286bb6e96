-- Money that came in (positive) or went back (negative). Stripe: a charge that succeeded, and the growth
-- of what is refunded on it, which Stripe states as a running total; an invoice that was paid counts where
-- no charge tells of the same money. RevenueCat: the price of a purchase, and the negative price of a
-- refund; proceeds are what is left after tax and the store's commission, unknown when a percentage is.
with charge_events as (

    select * from {{ ref('stg_stripe__charge_events') }}
    where is_live

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and event_type in ('invoice.paid', 'invoice.payment_succeeded') and paid_source_cents > 0

),

stripe_customers as (

    select * from {{ ref('int_revenue__stripe_customers') }}

),

revenuecat_events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where
        environment = 'PRODUCTION'
        and coalesce(store, '') not in ('PROMOTIONAL', 'STRIPE')
        and not is_family_share
        and price_usd <> 0
        and (
            event_type in ('INITIAL_PURCHASE', 'RENEWAL', 'NON_RENEWING_PURCHASE')
            or (event_type = 'CANCELLATION' and reason = 'CUSTOMER_SUPPORT' and price_usd < 0)
        )

),

payers as (

    select * from {{ ref('int_revenue__revenuecat_payers') }}

),

revenuecat_owners as (

    select * from {{ ref('int_revenue__revenuecat_owners') }}

),

charges as (

    select
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
    group by account, charge_source_id

),

-- Stripe's times are whole seconds: of several totals told in one the smaller came first
refunds as (

    select
        account,
        product,
        event_id,
        charge_source_id,
        customer_source_id,
        currency,
        created_at as occurred_at,
        coalesce(max(refunded_source_cents) over (
            partition by account, charge_source_id
            order by created_at, refunded_source_cents, event_id
            rows between unbounded preceding and 1 preceding
        ), 0) - refunded_source_cents as amount_source_cents
    from charge_events
    where refunded_source_cents > 0

),

invoices as (

    select
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
    group by account, invoice_source_id

),

-- the newest invoices name neither charge nor payment: same customer, amount and day. The nearest charges before and
-- after an invoice are found by a window, for a customer who pays the same every day has many of them.
told as (

    select
        account,
        customer_source_id,
        currency,
        amount_source_cents,
        occurred_at,
        occurred_at as charged_at,
        null as invoice_source_id
    from charges
    where invoice_source_id is null

    union all

    select
        account,
        customer_source_id,
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
            partition by account, customer_source_id, currency, amount_source_cents
            order by occurred_at
            range between unbounded preceding and current row
        ) as charged_before_at,
        min(charged_at) over (
            partition by account, customer_source_id, currency, amount_source_cents
            order by occurred_at
            range between current row and unbounded following
        ) as charged_after_at
    from told

),

-- what either of them names is beside what the other names, each kind of name by itself
named as (
    {% for name in ['invoice_source_id', 'charge_source_id', 'payment_intent_source_id'] %}

    select
        account,
        '{{ name }}' as name_kind,
        {{ name }} as source_id,
        null as invoice_source_id
    from charges
    where {{ name }} is not null

    union all

    select
        account,
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
        account,
        invoice_source_id,
        count(*) over (partition by account, name_kind, source_id)
        > count(invoice_source_id) over (partition by account, name_kind, source_id) as is_charged
    from named

),

told_invoices as (

    select
        account,
        invoice_source_id
    from named_together
    where is_charged and invoice_source_id is not null

    union

    select
        account,
        invoice_source_id
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
        on
            invoices.invoice_source_id = told_invoices.invoice_source_id
            and invoices.account = told_invoices.account
    where told_invoices.invoice_source_id is null

),

stripe_cash as (

    select
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
        account,
        product,
        event_id as source_id,
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
        'stripe' as provider,
        stripe_cash.account,
        stripe_cash.source_id,
        stripe_cash.cash_type,
        stripe_cash.payment_source_id,
        stripe_cash.customer_source_id,
        stripe_cash.product,
        {{ entity_uuid(
            'stripe_cash.product',
            'tenant',
            'coalesce(stripe_customers.tenant_source_id, stripe_cash.account)',
            true
        ) }} as tenant_id,
        case
            when stripe_customers.user_source_id is not null
                then {{ entity_uuid('stripe_cash.product', 'user', 'stripe_customers.user_source_id', true) }}
        end as user_id,
        stripe_cash.currency,
        cast(stripe_cash.amount_source_cents as {{ type_money() }}) as amount_source_cents,
        cast(null as {{ type_money() }}) as proceeds_source_cents,
        stripe_cash.occurred_at
    from stripe_cash
    left join stripe_customers
        on
            stripe_cash.account = stripe_customers.account
            and stripe_cash.customer_source_id = stripe_customers.customer_source_id

    union all

    select
        'revenuecat' as provider,
        revenuecat_events.project as account,
        revenuecat_events.event_id as source_id,
        case when revenuecat_events.price_usd < 0 then 'refund' else 'purchase' end as cash_type,
        revenuecat_events.transaction_source_id as payment_source_id,
        revenuecat_owners.payer_source_id as customer_source_id,
        revenuecat_events.product,
        revenuecat_owners.tenant_id,
        revenuecat_owners.user_id,
        'usd' as currency,
        cast(revenuecat_events.price_usd * 100 as {{ type_money() }}) as amount_source_cents,
        cast(
            revenuecat_events.price_usd * 100
            * (1 - revenuecat_events.tax_rate - revenuecat_events.commission_rate) as {{ type_money() }}
        ) as proceeds_source_cents,
        revenuecat_events.occurred_at
    from revenuecat_events
    left join payers
        on
            revenuecat_events.project = payers.project
            and revenuecat_events.user_source_id = payers.source_id
    inner join revenuecat_owners
        on
            revenuecat_events.project = revenuecat_owners.project
            and coalesce(payers.payer_source_id, revenuecat_events.user_source_id)
            = revenuecat_owners.payer_source_id

)

select * from final
