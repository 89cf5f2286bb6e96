{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}, {'columns': ['invoice_id']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'notes': {'tenant_id': 'tenant_id', 'invoice_id': 'invoice_id'},
        'inside': ['invoice_source_id'],
        'through': ['loads', 'int_revenue__stripe_owners', 'int_revenue__stripe_customers'],
    }},
) }}

-- An invoice as its newest live event shows it. Stripe's times are whole seconds: of several events in one the furthest
-- state counts. What is only foreseen (invoice.upcoming) or was thrown away as a draft is no invoice.
with events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where
        is_live
        and invoice_source_id is not null
        and event_type <> 'invoice.upcoming'
        and {{ is_affected('entity_key') }}

),

owners as (

    select * from {{ ref('int_revenue__stripe_owners') }}
    where {{ is_affected('entity_key') }}

),

customers as (

    select * from {{ ref('int_revenue__stripe_customers') }}
    where {{ is_affected('entity_key') }}

),

versions as (

    select
        *,
        row_number() over (
            partition by account, invoice_source_id
            order by
                created_at desc,
                case
                    when event_type = 'invoice.deleted' then 3
                    when status = 'draft' then 0
                    when status = 'open' then 1
                    else 2
                end desc,
                paid_source_cents desc,
                received_at desc,
                event_id desc
        ) as recency
    from events

),

invoices as (

    select
        versions.*,
        coalesce(
            owners.tenant_source_id, customers.tenant_source_id, versions.account
        ) as tenant_source_id,
        coalesce(versions.finalized_at, versions.drafted_at, versions.created_at) as issued_at
    from versions
    left join owners
        on
            versions.account = owners.account
            and versions.subscription_source_id = owners.subscription_source_id
    left join customers
        on versions.account = customers.account and versions.customer_source_id = customers.customer_source_id
    where versions.recency = 1 and versions.event_type <> 'invoice.deleted'

),

final as (

    select
        account,
        event_id,
        entity_key,
        subscription_source_id,
        {{ entity_uuid('product', 'invoice', "account || '|' || invoice_source_id", true) }} as invoice_id,
        {{ entity_uuid('product', 'tenant', 'tenant_source_id', true) }} as tenant_id,
        {{ entity_uuid('product', 'customer', "account || '|' || customer_source_id", true) }} as customer_id,
        cast(null as {{ type_uuid() }}) as credited_invoice_id,

        'stripe' as provider,
        product,
        'invoice' as kind,
        coalesce(status, 'open') as status,
        currency,

        due_source_cents as amount_due_cents,
        coalesce(paid_source_cents, 0) as amount_paid_cents,
        tax_source_cents as tax_cents,

        issued_at,
        -- what is charged at once is due at once
        coalesce(due_at, issued_at) as due_at,
        paid_at
    from invoices

)

select * from final
