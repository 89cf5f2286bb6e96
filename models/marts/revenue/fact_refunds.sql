{#- One model for each way in which money goes back; every one has all of these columns. -#}
{%- set refund_systems = [
    'int_revenue__billing_refunds',
    'int_revenue__fulfilment_refunds',
    'int_revenue__store_refunds',
    'int_revenue__stripe_refunds',
] -%}

with final as (

    {% for refund_system in refund_systems -%}
    select
        refund_id,
        tenant_id,
        customer_id,
        payment_id,

        provider,
        product,
        status,
        reason,
        currency,

        amount_cents,

        refunded_at
    from {{ ref(refund_system) }}
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}

)

select * from final
