{#- A query of all money that came in or went back through Stripe and the app stores: a table for each of them, which
    what needs both reads as they stand. -#}
{% macro cash_movements() -%}
    {% for provider_cash in ['int_revenue__stripe_cash', 'int_revenue__store_cash'] -%}
    select
        provider,
        account,
        source_id,
        cash_type,
        payment_source_id,
        customer_source_id,
        product,
        tenant_id,
        user_id,
        currency,
        amount_source_cents,
        proceeds_source_cents,
        occurred_at
    from {{ ref(provider_cash) }}
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
