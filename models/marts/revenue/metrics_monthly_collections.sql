with invoices as (

    select * from {{ ref('fact_invoices') }}
    where status not in ('draft', 'void')

),

payments as (

    select * from {{ ref('fact_payments') }}
    where status = 'succeeded' and invoice_id is not null

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dated as (

    select
        invoices.*,
        coalesce(invoices.credited_invoice_id, invoices.invoice_id) as billed_invoice_id,
        coalesce(tenants.timezone, 'UTC') as timezone,
        {{ local_date('invoices.due_at', "coalesce(tenants.timezone, 'UTC')") }} as due_date
    from invoices
    left join tenants on invoices.tenant_id = tenants.tenant_id

),

paid as (

    select
        dated.tenant_id,
        dated.provider,
        dated.invoice_id,
        {{ sum_if(
            local_date('payments.attempted_at', 'dated.timezone') ~ ' <= ' ~ add_days('dated.due_date', 30),
            'payments.amount_cents'
        ) }} as in_time_cents
    from dated
    inner join payments
        on
            dated.tenant_id = payments.tenant_id
            and dated.provider = payments.provider
            and dated.invoice_id = payments.invoice_id
    group by dated.tenant_id, dated.provider, dated.invoice_id

),

-- an invoice of which no payment is known by name says itself what was paid, and when
collected as (

    select
        dated.*,
        case
            when paid.invoice_id is not null then coalesce(paid.in_time_cents, 0)
            when {{ local_date('dated.paid_at', 'dated.timezone') }} <= {{ add_days('dated.due_date', 30) }}
                then dated.amount_paid_cents
            else 0
        end as in_time_cents
    from dated
    left join paid
        on
            dated.tenant_id = paid.tenant_id
            and dated.provider = paid.provider
            and dated.invoice_id = paid.invoice_id

),

-- an invoice with its credit notes: what was paid beyond it is no collection of another's debt
billed as (

    select
        tenant_id,
        product,
        provider,
        currency,
        timezone,
        billed_invoice_id,
        {{ month_start('min(due_date)') }} as month_start,
        count(case when kind = 'invoice' then 1 end) as invoices,
        sum(amount_due_cents) as amount_due_cents,
        least(sum(in_time_cents), greatest(sum(amount_due_cents), 0)) as amount_collected_cents
    from collected
    group by tenant_id, product, provider, currency, timezone, billed_invoice_id

),

months as (

    select
        month_start,
        tenant_id,
        product,
        provider,
        currency,
        sum(invoices) as invoices,
        sum(amount_due_cents) as amount_due_cents,
        sum(amount_collected_cents) as amount_collected_cents,
        {{ as_of_date('timezone') }}
        >= {{ add_days(add_months('month_start', 1), 30) }} as is_complete
    from billed
    group by month_start, tenant_id, product, provider, currency, timezone

),

final as (

    select
        month_start,
        tenant_id,

        product,
        provider,
        currency,

        cast(invoices as bigint) as invoices,
        cast(amount_due_cents as bigint) as amount_due_cents,
        cast(amount_collected_cents as bigint) as amount_collected_cents,
        case
            when is_complete and amount_due_cents > 0 then {{ rate('amount_collected_cents', 'amount_due_cents') }}
        end as invoice_collection_rate,

        is_complete
    from months

)

select * from final
