{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'invoice_id']}],
    meta={'affected': {'key': ['tenant_id', 'invoice_id'], 'whole': true}},
) }}

-- Invoices of RentGuy's billing module. What its database deleted stays, as it last stood, without the customer: Dutch
-- law keeps invoices for seven years. A credit note is a negative invoice; it takes its amount off the invoice that it
-- names, as a payment does, but nobody paid it.
with versions as (

    select
        *,
        row_number() over (partition by tenant_id, invoice_id order by version_number desc) as recency
    from {{ ref('stg_rentguy__invoice_versions') }}

),

customers as (

    select * from {{ ref('stg_rentguy__customers') }}

),

payments as (

    select * from {{ ref('int_revenue__rental_payments') }}
    where status = 'succeeded'

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

billed as (

    select
        versions.tenant_id,
        versions.invoice_id,
        versions.credited_invoice_id,
        case when not versions.is_deleted then customers.customer_id end as customer_id,
        case when versions.kind = 'credit_note' then 'credit_note' else 'invoice' end as kind,
        lower(trim(versions.status)) as status,
        coalesce(versions.currency, tenants.currency, '{{ var("reporting_currency") }}') as currency,
        coalesce(tenants.timezone, 'UTC') as timezone,
        -- some write a credit note's amounts with a minus, some without
        case when versions.kind = 'credit_note' then -1 else 1 end as direction,
        case when versions.kind = 'credit_note' then abs(versions.net_amount) else versions.net_amount end
            as net_amount,
        case when versions.kind = 'credit_note' then abs(versions.tax_amount) else versions.tax_amount end
            as tax_amount,
        versions.issued_at,
        versions.due_on
    from versions
    left join customers
        on versions.tenant_id = customers.tenant_id and versions.customer_id = customers.customer_id
    left join tenants on versions.tenant_id = tenants.tenant_id
    where versions.recency = 1

),

invoices as (

    select
        billed.tenant_id,
        billed.invoice_id,
        billed.credited_invoice_id,
        billed.customer_id,
        billed.kind,
        billed.status,
        billed.currency,
        billed.direction * {{ to_minor_units(
            '(billed.net_amount + coalesce(billed.tax_amount, 0))', 'currencies.minor_unit_exponent'
        ) }} as amount_due_cents,
        billed.direction * {{ to_minor_units(
            'billed.tax_amount', 'currencies.minor_unit_exponent'
        ) }} as tax_cents,
        billed.issued_at,
        {{ day_start('billed.due_on', 'billed.timezone') }} as due_at
    from billed
    left join currencies on billed.currency = currencies.currency

),

-- what settles an invoice: money that came (or went back), and credit notes that were not withdrawn
settling as (

    select
        tenant_id,
        invoice_id,
        payment_id as settling_id,
        amount_cents as paid_cents,
        amount_cents as settled_cents,
        attempted_at as settled_at
    from payments

    union all

    select
        tenant_id,
        credited_invoice_id as invoice_id,
        invoice_id as settling_id,
        0 as paid_cents,
        -amount_due_cents as settled_cents,
        issued_at as settled_at
    from invoices
    where kind = 'credit_note' and status not in ('draft', 'void')

),

running as (

    select
        tenant_id,
        invoice_id,
        paid_cents,
        settled_cents,
        settled_at,
        sum(settled_cents) over (
            partition by tenant_id, invoice_id order by settled_at, settling_id
        ) as running_cents
    from settling

),

settled as (

    select
        invoices.tenant_id,
        invoices.invoice_id,
        sum(running.paid_cents) as paid_cents,
        sum(running.settled_cents) as settled_cents,
        min(case when running.running_cents >= invoices.amount_due_cents then running.settled_at end) as settled_at
    from invoices
    inner join running
        on invoices.tenant_id = running.tenant_id and invoices.invoice_id = running.invoice_id
    group by invoices.tenant_id, invoices.invoice_id

),

credited as (

    select
        invoices.*,
        coalesce(settled.paid_cents, 0) as paid_cents,
        coalesce(settled.settled_cents, 0) >= invoices.amount_due_cents as is_settled,
        settled.settled_at,
        notes.due_at as credited_due_at
    from invoices
    left join settled
        on invoices.tenant_id = settled.tenant_id and invoices.invoice_id = settled.invoice_id
    left join invoices as notes
        on
            invoices.tenant_id = notes.tenant_id
            and invoices.credited_invoice_id = notes.invoice_id
            and invoices.kind = 'credit_note'

),

final as (

    select
        invoice_id,
        tenant_id,
        customer_id,
        case when kind = 'credit_note' then credited_invoice_id end as credited_invoice_id,

        'rentguy' as provider,
        'rentguy' as product,
        kind,
        case
            when status in ('draft', 'void', 'uncollectible') then status
            when kind = 'credit_note' then 'credited'
            when is_settled and (paid_cents > 0 or amount_due_cents = 0) then 'paid'
            when is_settled then 'credited'
            else 'open'
        end as status,
        currency,

        amount_due_cents,
        cast(paid_cents as bigint) as amount_paid_cents,
        tax_cents,

        issued_at,
        -- a credit note counts where the invoice does that it takes back
        coalesce(credited_due_at, due_at, issued_at) as due_at,
        case when kind = 'invoice' and is_settled and paid_cents > 0 then settled_at end as paid_at
    from credited

)

select * from final
