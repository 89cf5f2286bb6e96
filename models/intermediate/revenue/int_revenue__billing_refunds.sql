-- Billing modules of the products write what goes back as a negative payment, of the invoice it was paid for.
with rental_payments as (

    select * from {{ ref('int_revenue__rental_payments') }}

),

projects_payments as (

    select * from {{ ref('int_revenue__projects_payments') }}

),

payments as (

    select * from rental_payments

    union all

    select * from projects_payments

),

final as (

    select
        payment_id as refund_id,
        tenant_id,
        customer_id,
        cast(null as {{ type_uuid() }}) as payment_id,

        provider,
        product,
        status,
        cast(null as {{ type_string() }}) as reason,
        currency,

        -amount_cents as amount_cents,

        attempted_at as refunded_at
    from payments
    where status in ('succeeded', 'failed') and amount_cents < 0

)

select * from final
