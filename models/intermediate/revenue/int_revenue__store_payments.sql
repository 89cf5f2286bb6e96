{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'payment_id']}],
    meta={'affected': {'key': ['tenant_id', 'payment_id'], 'whole': true}},
) }}

-- Purchases in the app stores, which RevenueCat tells of once they succeeded.
with cash as (

    select * from {{ ref('int_revenue__store_cash') }}
    where cash_type = 'purchase'

),

final as (

    select
        {{ entity_uuid('product', 'payment', "account || '|' || source_id", true) }} as payment_id,
        tenant_id,
        {{ entity_uuid('product', 'customer', "account || '|' || customer_source_id", true) }} as customer_id,
        cast(null as {{ type_uuid() }}) as invoice_id,

        'revenuecat' as provider,
        product,
        'revenuecat' as processor,
        'succeeded' as status,
        cast(null as {{ type_string() }}) as failure_reason,
        currency,

        cast(round(amount_source_cents) as bigint) as amount_cents,

        occurred_at as attempted_at
    from cash

)

select * from final
