-- What a readings marketplace gave back for an order; the payment is the order's last one that had succeeded by
-- then.
with payments as (

    select * from {{ ref('int_fulfilment__payments') }}

),

refunds as (

    select * from payments
    where kind = 'refund'

),

paid as (

    select * from payments
    where is_success

),

followed as (

    select
        refunds.*,
        paid.event_id as paid_event_id,
        row_number() over (
            partition by refunds.tenant_id, refunds.event_id
            order by paid.occurred_at desc, paid.event_id desc
        ) as distance
    from refunds
    left join paid
        on
            refunds.tenant_id = paid.tenant_id
            and refunds.entity_key = paid.entity_key
            and refunds.occurred_at >= paid.occurred_at

),

final as (

    select
        event_id as refund_id,
        tenant_id,
        user_id as customer_id,
        paid_event_id as payment_id,

        'samia_tarot' as provider,
        'samia_tarot' as product,
        'succeeded' as status,
        cast(null as {{ type_string() }}) as reason,
        currency,

        amount_cents,

        occurred_at as refunded_at
    from followed
    where distance = 1

)

select * from final
