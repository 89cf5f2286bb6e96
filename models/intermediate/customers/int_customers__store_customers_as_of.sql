-- Whose each store subscription was by what was known on each Monday, as revenue says it of what is known today: the
-- payer of the last event that said what the subscription is worth, or who took it over after that; and the tenant
-- that the payer's attributes named first.
with events as (

    select * from {{ ref('int_customers__store_events_as_of') }}
    where environment = 'PRODUCTION'

),

payers as (

    select * from {{ ref('int_customers__store_payers_as_of') }}

),

own_events as (

    select
        events.*,
        coalesce(payers.payer_source_id, events.user_source_id) as payer_source_id
    from events
    left join payers on events.project = payers.project and events.user_source_id = payers.source_id
    where events.user_source_id is not null

),

transfer_events as (

    {{ store_transfers('events') }}

),

transfers as (

    {{ transfers_of_payers('transfer_events', 'payers') }}

),

told_payers as (

    select
        project,
        product,
        subscription_source_id,
        event_id,
        occurred_at,
        payer_source_id,
        case
            when event_type in ('INITIAL_PURCHASE', 'RENEWAL') then 0
            when event_type = 'EXPIRATION' then 2
            else 1
        end as tie_order,
        -- a wish to end, or not to, moves nothing and nobody; a refund does
        event_type in (
            'INITIAL_PURCHASE', 'RENEWAL', 'BILLING_ISSUE', 'SUBSCRIPTION_EXTENDED', 'EXPIRATION', 'REFUND_REVERSED'
        )
        or coalesce(
            event_type = 'CANCELLATION' and reason = 'CUSTOMER_SUPPORT' and price_usd < 0, false
        ) as is_telling
    from own_events
    where
        subscription_source_id is not null
        and event_type in (
            'INITIAL_PURCHASE', 'RENEWAL', 'CANCELLATION', 'UNCANCELLATION', 'BILLING_ISSUE',
            'SUBSCRIPTION_EXTENDED', 'EXPIRATION', 'REFUND_REVERSED'
        )

),

moved_payers as (

    {{ moved_subscriptions('transfers', 'told_payers') }}

),

all_payers as (

    select
        project,
        subscription_source_id,
        event_id,
        occurred_at,
        payer_source_id,
        tie_order,
        is_telling
    from told_payers

    union all

    select
        project,
        subscription_source_id,
        event_id,
        occurred_at,
        payer_source_id,
        1 as tie_order,
        true as is_telling
    from moved_payers

),

ranked as (

    select
        *,
        row_number() over (
            partition by project, subscription_source_id
            order by
                case when is_telling then 0 else 1 end,
                occurred_at desc,
                tie_order desc,
                event_id desc
        ) as recency
    from all_payers

),

attributes as (

    select
        project,
        payer_source_id,
        {{ earliest_by(
            'tenant_source_id', 'case when tenant_source_id is null then 1 else 0 end, occurred_at, event_id'
        ) }} as tenant_source_id
    from own_events
    group by project, payer_source_id

),

projects as (

    select distinct
        as_of_at,
        account,
        project
    from events

),

final as (

    select
        projects.as_of_at,
        projects.account,
        ranked.subscription_source_id,
        ranked.payer_source_id as customer_source_id,
        attributes.tenant_source_id
    from ranked
    inner join projects on ranked.project = projects.project
    left join attributes
        on ranked.project = attributes.project and ranked.payer_source_id = attributes.payer_source_id
    where ranked.recency = 1

)

select * from final
