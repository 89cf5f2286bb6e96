{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'payment_id']}],
    meta={'affected': {'key': ['tenant_id', 'payment_id'], 'whole': true}},
) }}

-- Attempts to pay for an order of a readings marketplace; an attempt whose answer never came, or came after a day,
-- stays pending, as fulfilment has it. Through whom they went is for those who may read metrics_daily_payments.
with payments as (

    select * from {{ ref('int_fulfilment__payments') }}
    where kind = 'attempt'

),

final as (

    select
        event_id as payment_id,
        tenant_id,
        user_id as customer_id,
        cast(null as {{ type_uuid() }}) as invoice_id,

        'samia_tarot' as provider,
        'samia_tarot' as product,
        cast(null as {{ type_string() }}) as processor,
        case when is_success then 'succeeded' when is_failure then 'failed' else 'pending' end as status,
        failure_reason,
        currency,

        coalesce(amount_cents, told_cents) as amount_cents,

        occurred_at as attempted_at
    from payments

)

select * from final
