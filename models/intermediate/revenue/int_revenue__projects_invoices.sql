{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'invoice_id']}],
    meta={'affected': {'key': ['tenant_id', 'invoice_id'], 'whole': true}},
) }}

-- What ProjectFlo's studios bill. A credit note is a negative invoice: it takes its amount off the invoice that it
-- names, as a payment does, but nobody paid it.
with source_invoices as (

    select * from {{ ref('stg_projectflo__invoices') }}

),

payments as (

    select * from {{ ref('int_revenue__projects_payments') }}
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
        source_invoices.tenant_id,
        source_invoices.invoice_id,
        source_invoices.project_id,
        source_invoices.client_id as customer_id,
        case when source_invoices.kind = 'credit_note' then 'credit_note' else 'invoice' end as kind,
        case when source_invoices.kind = 'credit_note' then source_invoices.credited_invoice_id end
            as credited_invoice_id,
        lower(trim(source_invoices.status)) as status,
        coalesce(source_invoices.currency, tenants.currency, '{{ var("reporting_currency") }}') as currency,
        coalesce(tenants.timezone, 'UTC') as timezone,
        -- some write a credit note's amounts with a minus, some without
        case when source_invoices.kind = 'credit_note' then -1 else 1 end as direction,
        case
            when source_invoices.kind = 'credit_note' then abs(source_invoices.net_amount)
            else source_invoices.net_amount
        end as net_amount,
        coalesce(
            case
                when source_invoices.kind = 'credit_note' then abs(source_invoices.tax_amount)
                else source_invoices.tax_amount
            end,
            0
        ) as tax_amount,
        source_invoices.issued_at,
        source_invoices.due_on
    from source_invoices
    left join tenants on source_invoices.tenant_id = tenants.tenant_id

),

invoices as (

    select
        billed.tenant_id,
        billed.invoice_id,
        billed.project_id,
        billed.customer_id,
        billed.credited_invoice_id,
        billed.kind,
        billed.status,
        billed.currency,
        billed.direction * {{ to_minor_units(
            '(billed.net_amount + billed.tax_amount)', 'currencies.minor_unit_exponent'
        ) }} as amount_due_cents,
        billed.direction * {{ to_minor_units(
            'billed.tax_amount', 'currencies.minor_unit_exponent'
        ) }} as tax_cents,
        billed.issued_at,
        {{ day_start('billed.due_on', 'billed.timezone') }} as due_at
    from billed
    left join currencies on billed.currency = currencies.currency

),

-- what settles an invoice: money that came (or went back), and credit notes that stand
settling as (

    select
        tenant_id,
        invoice_id,
        currency,
        payment_id as settling_id,
        amount_cents as paid_cents,
        amount_cents as settled_cents,
        attempted_at as settled_at
    from payments

    union all

    select
        tenant_id,
        credited_invoice_id as invoice_id,
        currency,
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
        currency,
        paid_cents,
        settled_cents,
        settled_at,
        sum(settled_cents) over (
            partition by tenant_id, invoice_id, currency
            order by settled_at, settling_id
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
        on
            invoices.tenant_id = running.tenant_id
            and invoices.invoice_id = running.invoice_id
            and invoices.currency = running.currency
    group by invoices.tenant_id, invoices.invoice_id

),

standing as (

    select
        invoices.*,
        coalesce(settled.paid_cents, 0) as paid_cents,
        coalesce(settled.settled_cents, 0) >= invoices.amount_due_cents as is_settled,
        settled.settled_at,
        credited.due_at as credited_due_at
    from invoices
    left join settled
        on invoices.tenant_id = settled.tenant_id and invoices.invoice_id = settled.invoice_id
    left join invoices as credited
        on invoices.tenant_id = credited.tenant_id and invoices.credited_invoice_id = credited.invoice_id

),

final as (

    select
        invoice_id,
        tenant_id,
        customer_id,
        credited_invoice_id,
        project_id,

        'projectflo' as provider,
        'projectflo' as product,
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
    from standing

)

select * from final
