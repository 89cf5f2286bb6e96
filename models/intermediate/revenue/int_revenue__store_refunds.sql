-- What an app store gave back. The purchase is the first one told of the same transaction. A refund that was
-- reversed did not come through after all.
with cash as (

    select
        *,
        lead(cash_type) over (
            partition by
                account,
                coalesce(payment_source_id, source_id),
                case when cash_type = 'purchase' then 1 else 0 end
            order by occurred_at, source_id
        ) as next_cash_type
    from {{ ref('int_revenue__store_cash') }}

),

purchases as (

    select
        account,
        payment_source_id,
        source_id,
        row_number() over (
            partition by account, payment_source_id
            order by occurred_at, source_id
        ) as telling_number
    from cash
    where cash_type = 'purchase' and payment_source_id is not null

),

final as (

    select
        {{ entity_uuid('cash.product', 'refund', "cash.account || '|' || cash.source_id", true) }} as refund_id,
        cash.account,
        cash.source_id,
        cash.tenant_id,
        {{ entity_uuid('cash.product', 'customer', "cash.account || '|' || cash.customer_source_id", true) }}
            as customer_id,
        case
            when purchases.source_id is not null
                then {{ entity_uuid('cash.product', 'payment', "cash.account || '|' || purchases.source_id", true) }}
        end as payment_id,

        'revenuecat' as provider,
        cash.product,
        case when cash.next_cash_type = 'refund_reversal' then 'failed' else 'succeeded' end as status,
        'customer_support' as reason,
        cash.currency,

        cast(round(-cash.amount_source_cents) as bigint) as amount_cents,

        cash.occurred_at as refunded_at
    from cash
    left join purchases
        on
            cash.account = purchases.account
            and cash.payment_source_id = purchases.payment_source_id
            and purchases.telling_number = 1
    where cash.cash_type = 'refund'

)

select * from final
