-- Money that came in (positive) or went back (negative) through app stores: the price of a purchase, the negative price
-- of a refund, and the refund again once it was reversed, each once for a transaction, however often it is told; a
-- purchase in Stripe counts where Stripe does not tell of it. Proceeds are what is left after tax and the store's
-- commission, unknown when a percentage is.
with revenuecat_events as (

    select
        *,
        case
            when event_type = 'REFUND_REVERSED' then 'refund_reversal'
            when price_usd < 0 then 'refund'
            else 'purchase'
        end as cash_type
    from {{ ref('stg_revenuecat__events') }}
    where
        environment = 'PRODUCTION'
        and coalesce(store, '') <> 'PROMOTIONAL'
        and not is_family_share
        and (
            event_type in ('INITIAL_PURCHASE', 'RENEWAL', 'NON_RENEWING_PURCHASE') and price_usd <> 0
            or event_type = 'CANCELLATION' and reason = 'CUSTOMER_SUPPORT' and price_usd < 0
            or event_type = 'REFUND_REVERSED'
        )

),

stripe_names as (

    select * from {{ ref('int_revenue__stripe_names') }}

),

payers as (

    select * from {{ ref('int_revenue__revenuecat_payers') }}

),

owners as (

    select * from {{ ref('int_revenue__revenuecat_owners') }}

),

-- a transaction is paid once, and goes back and comes again in turn: the same told again is nothing new
store_turns as (

    select
        revenuecat_events.*,
        lag(revenuecat_events.cash_type) over same_transaction as previous_cash_type,
        lag(revenuecat_events.price_usd) over same_transaction as previous_price_usd
    from revenuecat_events
    left join stripe_names
        on
            revenuecat_events.store = 'STRIPE'
            and revenuecat_events.product = stripe_names.product
            and revenuecat_events.subscription_source_id = stripe_names.source_id
    where stripe_names.source_id is null
    window same_transaction as (
        partition by
            revenuecat_events.project,
            revenuecat_events.subscription_source_id,
            coalesce(revenuecat_events.transaction_source_id, revenuecat_events.event_id),
            case when revenuecat_events.cash_type = 'purchase' then 1 else 0 end
        order by revenuecat_events.occurred_at, revenuecat_events.cash_type, revenuecat_events.event_id
    )

),

cash as (

    select
        *,
        -- a reversal names no price, or the refund's
        case when cash_type = 'refund_reversal' then -previous_price_usd else price_usd end as moved_usd
    from store_turns
    where
        cash_type = 'refund_reversal' and previous_cash_type = 'refund'
        or cash_type <> 'refund_reversal' and coalesce(previous_cash_type, '') <> cash_type

),

final as (

    select
        'revenuecat' as provider,
        cash.project as account,
        cash.event_id as source_id,
        cash.cash_type,
        cash.transaction_source_id as payment_source_id,
        owners.payer_source_id as customer_source_id,
        cash.product,
        owners.tenant_id,
        owners.user_id,
        'usd' as currency,
        cast(cash.moved_usd * 100 as {{ type_money() }}) as amount_source_cents,
        cast(
            cash.moved_usd * 100
            * (1 - cash.tax_rate - cash.commission_rate) as {{ type_money() }}
        ) as proceeds_source_cents,
        cash.occurred_at
    from cash
    left join payers
        on
            cash.project = payers.project
            and cash.user_source_id = payers.source_id
    inner join owners
        on
            cash.project = owners.project
            and coalesce(payers.payer_source_id, cash.user_source_id)
            = owners.payer_source_id

)

select * from final
