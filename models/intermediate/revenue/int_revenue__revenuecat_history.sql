-- What each store subscription went through, in order, with the purchase that each event refers to. A
-- TRANSFER names no subscription: it enters the history of every subscription that the giving payer had
-- until then.
with events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION'

),

payers as (

    select * from {{ ref('int_revenue__revenuecat_payers') }}

),

stripe_names as (

    select * from {{ ref('int_revenue__stripe_names') }}

),

-- a subscription sold through Stripe that is also in Stripe is counted there
own_events as (

    select
        events.*,
        coalesce(payers.payer_source_id, events.user_source_id) as payer_source_id
    from events
    left join payers on events.project = payers.project and events.user_source_id = payers.source_id
    left join stripe_names
        on
            events.store = 'STRIPE'
            and events.product = stripe_names.product
            and events.subscription_source_id = stripe_names.source_id
    where
        events.event_type in (
            'INITIAL_PURCHASE', 'RENEWAL', 'CANCELLATION', 'BILLING_ISSUE', 'SUBSCRIPTION_EXTENDED',
            'EXPIRATION', 'REFUND_REVERSED'
        )
        and events.subscription_source_id is not null
        and stripe_names.source_id is null

),

transfer_events as (

    {{ store_transfers('events') }}

),

transfers as (

    {{ transfers_of_payers('transfer_events', 'payers') }}

),

transferred as (

    {{ moved_subscriptions('transfers', 'own_events') }}

),

history as (

    select
        project,
        product,
        subscription_source_id,
        event_id,
        event_type,
        occurred_at,
        payer_source_id,
        store_product_id,
        transaction_source_id,
        reason,
        price_usd,
        purchased_at,
        expires_at,
        grace_expires_at,
        event_type in ('INITIAL_PURCHASE', 'RENEWAL') as is_purchase,
        period_type = 'TRIAL' as is_trial,
        is_family_share
        or coalesce(store = 'PROMOTIONAL', false)
        or coalesce(period_type in ('TRIAL', 'PROMOTIONAL'), false) as is_free
    from own_events

    union all

    select
        project,
        product,
        subscription_source_id,
        event_id,
        'TRANSFER' as event_type,
        occurred_at,
        payer_source_id,
        null as store_product_id,
        null as transaction_source_id,
        null as reason,
        null as price_usd,
        null as purchased_at,
        null as expires_at,
        null as grace_expires_at,
        false as is_purchase,
        false as is_trial,
        false as is_free
    from transferred

),

ordered as (

    select
        *,
        row_number() over (
            partition by project, subscription_source_id
            order by
                occurred_at,
                case
                    when is_purchase then 0
                    when event_type = 'EXPIRATION' then 2
                    else 1
                end,
                event_id
        ) as state_number
    from history

),

final as (

    select
        *,
        sum(case when is_purchase then 1 else 0 end) over (
            partition by project, subscription_source_id
            order by state_number
            rows between unbounded preceding and current row
        ) as purchase_number
    from ordered

)

select * from final
