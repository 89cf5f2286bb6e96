{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {'key': ['entity_key'], 'within': 'account', 'inside': ['charge_key']}},
) }}

-- A refund is a growth of what is given back on a charge, as cash has it. Stripe's refund objects say why, and
-- whether it came through after all; they name the charge and the amount, so the first refund of an amount on a
-- charge is the first object of it.
with cash as (

    select
        *,
        {{ stripe_key('account', 'payment_source_id') }} as charge_key
    from {{ ref('int_revenue__stripe_cash') }}
    where cash_type = 'refund' and {{ is_affected('entity_key') }}

),

objects as (

    select * from {{ ref('int_revenue__stripe_refund_objects') }}
    where {{ is_affected('entity_key') }}

),

numbered_objects as (

    select
        *,
        row_number() over (
            partition by charge_key, amount_source_cents
            order by refunded_at, refund_source_id
        ) as refund_number
    from objects

),

numbered as (

    select
        *,
        row_number() over (
            partition by charge_key, amount_source_cents
            order by occurred_at, source_id
        ) as refund_number
    from cash

),

final as (

    select
        numbered.entity_key,
        {{ entity_uuid('numbered.product', 'refund', "numbered.account || '|' || numbered.source_id", true) }}
            as refund_id,
        numbered.account,
        numbered.source_id,
        numbered.tenant_id,
        {{ entity_uuid(
            'numbered.product', 'customer', "numbered.account || '|' || numbered.customer_source_id", true
        ) }} as customer_id,
        {{ entity_uuid(
            'numbered.product', 'payment', "numbered.account || '|' || numbered.payment_source_id", true
        ) }} as payment_id,

        'stripe' as provider,
        numbered.product,
        case when numbered_objects.has_failed then 'failed' else 'succeeded' end as status,
        numbered_objects.reason,
        numbered.currency,

        cast(round(-numbered.amount_source_cents) as bigint) as amount_cents,

        numbered.occurred_at as refunded_at
    from numbered
    left join numbered_objects
        on
            numbered.charge_key = numbered_objects.charge_key
            and -numbered.amount_source_cents = numbered_objects.amount_source_cents
            and numbered.refund_number = numbered_objects.refund_number

)

select * from final
