{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'payment_id']}],
    meta={'affected': {'key': ['tenant_id', 'payment_id']}},
) }}
{#- One model for each system that moves money; every one has all of these columns. -#}
{%- set payment_systems = [
    'int_revenue__fulfilment_payments',
    'int_revenue__projects_payments',
    'int_revenue__rental_payments',
    'int_revenue__store_payments',
    'int_revenue__stripe_payments',
] -%}

with final as (

    {% for payment_system in payment_systems -%}
    select
        payment_id,
        tenant_id,
        customer_id,
        invoice_id,

        provider,
        product,
        processor,
        status,
        failure_reason,
        currency,

        amount_cents,

        attempted_at
    from {{ ref(payment_system) }}
    where {{ is_affected('tenant_id', 'payment_id') }}
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}

)

select * from final
