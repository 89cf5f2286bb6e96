-- Money that came in (positive) or went back (negative). Stripe: a charge that succeeded, and the growth
-- of what is refunded on it, which Stripe states as a running total; an invoice that was paid counts where
-- no charge tells of the same money. RevenueCat: the price of a purchase, the negative price of a refund, and
-- the refund again once it was reversed, each once for a transaction, however often it is told; a purchase in
-- Stripe counts where Stripe does not tell of it. Proceeds are what is left after tax and the store's commission,
-- unknown when a percentage is.
with charge_events as (

    select * from {{ ref('stg_stripe__charge_events') }}
    where is_live

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and event_type in ('invoice.paid', 'invoice.payment_succeeded') and paid_source_cents > 0

),

refund_events as (

    select * from {{ ref('stg_stripe__refund_events') }}
    where is_live and charge_source_id is not null

),

stripe_customers as (

    select * from {{ ref('int_revenue__stripe_customers') }}

),

revenuecat_events as (

    select
        *,
        case
            when event_type = 'REFUND_REVERSED' then 'refund_reversal'
            when price_usd < 0 then 'refund'
            else 'purchase'
        end as cash_type
    from {{ ref('stg_revenuecat__events') }}
    where
        environment = 'PRODUCTION'
        and coalesce(store, '') <> 'PROMOTIONAL'
        and not is_family_share
        and (
            event_type in ('INITIAL_PURCHASE', 'RENEWAL', 'NON_RENEWING_PURCHASE') and price_usd <> 0
            or event_type = 'CANCELLATION' and reason = 'CUSTOMER_SUPPORT' and price_usd < 0
            or event_type = 'REFUND_REVERSED'
        )

),

stripe_names as (

    select * from {{ ref('int_revenue__stripe_names') }}

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
refund_totals as (

    select
        *,
        account || '|' || charge_source_id as charge_key,
        row_number() over (
            partition by account, charge_source_id
            order by created_at desc, refunded_source_cents desc, event_id desc
        ) as telling_rank
    from charge_events

),

refund_objects as (

    {{ refund_objects('refund_events') }}

),

keyed_refund_objects as (

    select
        *,
        account || '|' || charge_source_id as charge_key
    from refund_objects

),

-- A refund that fails takes the total down again, and the next one of the same amount only brings it back. Where what
-- the refunds themselves tell comes to the total that was told last, they are it.
told_refunds as (

    select
        charge_key,
        sum(case when has_failed then 0 else amount_source_cents end) as standing_source_cents
    from keyed_refund_objects
    group by charge_key
    having max(case when has_failed then 1 else 0 end) = 1

),

told_charges as (

    select
        refund_totals.charge_key,
        refund_totals.account,
        refund_totals.product,
        refund_totals.charge_source_id,
        refund_totals.customer_source_id,
        refund_totals.currency
    from refund_totals
    inner join told_refunds on refund_totals.charge_key = told_refunds.charge_key
    where
        refund_totals.telling_rank = 1
        and refund_totals.refunded_source_cents = told_refunds.standing_source_cents

),

grown as (

    select
        refund_totals.account,
        refund_totals.product,
        refund_totals.event_id as source_id,
        refund_totals.charge_source_id,
        refund_totals.customer_source_id,
        refund_totals.currency,
        refund_totals.created_at as occurred_at,
        coalesce(max(refund_totals.refunded_source_cents) over (
            partition by refund_totals.account, refund_totals.charge_source_id
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
        told_charges.account,
        told_charges.product,
        refund_objects.refund_source_id as source_id,
        told_charges.charge_source_id,
        told_charges.customer_source_id,
        told_charges.currency,
        coalesce(refund_objects.refunded_at, refund_objects.told_at) as occurred_at,
        -refund_objects.amount_source_cents as amount_source_cents
    from told_charges
    inner join keyed_refund_objects as refund_objects on told_charges.charge_key = refund_objects.charge_key

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

-- a transaction is paid once, and goes back and comes again in turn: the same told again is nothing new
store_turns as (

    select
        revenuecat_events.*,
        lag(revenuecat_events.cash_type) over same_transaction as previous_cash_type,
        lag(revenuecat_events.price_usd) over same_transaction as previous_price_usd
    from revenuecat_events
    left join stripe_names
        on
            revenuecat_events.store = 'STRIPE'
            and revenuecat_events.product = stripe_names.product
            and revenuecat_events.subscription_source_id = stripe_names.source_id
    where stripe_names.source_id is null
    window same_transaction as (
        partition by
            revenuecat_events.project,
            revenuecat_events.subscription_source_id,
            coalesce(revenuecat_events.transaction_source_id, revenuecat_events.event_id),
            case when revenuecat_events.cash_type = 'purchase' then 1 else 0 end
        order by revenuecat_events.occurred_at, revenuecat_events.cash_type, revenuecat_events.event_id
    )

),

store_cash as (

    select
        *,
        -- a reversal names no price, or the refund's
        case when cash_type = 'refund_reversal' then -previous_price_usd else price_usd end as moved_usd
    from store_turns
    where
        cash_type = 'refund_reversal' and previous_cash_type = 'refund'
        or cash_type <> 'refund_reversal' and coalesce(previous_cash_type, '') <> cash_type

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
        store_cash.project as account,
        store_cash.event_id as source_id,
        store_cash.cash_type,
        store_cash.transaction_source_id as payment_source_id,
        revenuecat_owners.payer_source_id as customer_source_id,
        store_cash.product,
        revenuecat_owners.tenant_id,
        revenuecat_owners.user_id,
        'usd' as currency,
        cast(store_cash.moved_usd * 100 as {{ type_money() }}) as amount_source_cents,
        cast(
            store_cash.moved_usd * 100
            * (1 - store_cash.tax_rate - store_cash.commission_rate) as {{ type_money() }}
        ) as proceeds_source_cents,
        store_cash.occurred_at
    from store_cash
    left join payers
        on
            store_cash.project = payers.project
            and store_cash.user_source_id = payers.source_id
    inner join revenuecat_owners
        on
            store_cash.project = revenuecat_owners.project
            and coalesce(payers.payer_source_id, store_cash.user_source_id)
            = revenuecat_owners.payer_source_id

)

select * from final
