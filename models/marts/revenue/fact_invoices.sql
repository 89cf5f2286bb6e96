{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'invoice_id']}],
    meta={'affected': {'key': ['tenant_id', 'invoice_id']}},
) }}
{#- One model for each billing system; every one has all of these columns. -#}
{%- set billing_systems = [
    'int_revenue__projects_invoices',
    'int_revenue__rental_invoices',
    'int_revenue__stripe_invoices',
] -%}

with final as (

    {% for billing_system in billing_systems -%}
    select
        invoice_id,
        tenant_id,
        customer_id,
        credited_invoice_id,

        provider,
        product,
        kind,
        status,
        currency,

        amount_due_cents,
        amount_paid_cents,
        tax_cents,

        issued_at,
        due_at,
        paid_at
    from {{ ref(billing_system) }}
    where {{ is_affected('tenant_id', 'invoice_id') }}
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}

)

select * from final
