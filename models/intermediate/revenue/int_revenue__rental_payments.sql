{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'payment_id']}],
    meta={'affected': {'key': ['tenant_id', 'payment_id'], 'whole': true}},
) }}

with payments as (

    select * from {{ ref('stg_rentguy__payments') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

-- a payment that names no currency is in that of its tenant
priced as (

    select
        payments.*,
        coalesce(payments.currency, tenants.currency, '{{ var("reporting_currency") }}') as paid_currency
    from payments
    left join tenants on payments.tenant_id = tenants.tenant_id

),

final as (

    select
        priced.payment_id,
        priced.tenant_id,
        priced.customer_id,
        priced.invoice_id,

        'rentguy' as provider,
        'rentguy' as product,
        priced.method as processor,
        lower(trim(priced.status)) as status,
        priced.failure_reason,
        priced.paid_currency as currency,

        {{ to_minor_units('priced.amount', 'currencies.minor_unit_exponent') }} as amount_cents,

        priced.attempted_at
    from priced
    left join currencies on priced.paid_currency = currencies.currency

)

select * from final
