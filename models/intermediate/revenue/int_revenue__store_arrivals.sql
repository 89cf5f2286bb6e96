-- The same of RevenueCat's records. Those of payers between whom a subscription ever moved may change each other's
-- meaning.
with recursive

store_events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION'

),

payers as (

    select * from {{ ref('int_revenue__revenuecat_payers') }}

),

store_transfers as (

    {{ store_transfers('store_events') }}

),

transfers as (

    {{ transfers_of_payers('store_transfers', 'payers') }}

),

transfer_payers as (

    select
        project,
        event_id,
        min(coalesce(giver_source_id, taker_source_id)) as payer_source_id
    from transfers
    group by project, event_id

),

paid_events as (

    select
        store_events.*,
        coalesce(
            payers.payer_source_id,
            store_events.user_source_id,
            transfer_payers.payer_source_id,
            store_events.subscription_source_id,
            store_events.event_id
        ) as payer_source_id
    from store_events
    left join payers
        on store_events.project = payers.project and store_events.user_source_id = payers.source_id
    left join transfer_payers
        on store_events.project = transfer_payers.project and store_events.event_id = transfer_payers.event_id

),

subscription_payers as (

    select
        project,
        payer_source_id,
        min(payer_source_id) over (partition by project, subscription_source_id) as first_payer_source_id
    from paid_events
    where subscription_source_id is not null

),

links as (

    select
        project,
        giver_source_id as payer_source_id,
        taker_source_id as other_source_id
    from transfers

    union

    select
        project,
        payer_source_id,
        first_payer_source_id as other_source_id
    from subscription_payers

),

edges as (

    select
        project,
        payer_source_id,
        other_source_id
    from links
    where payer_source_id <> other_source_id

    union

    select
        project,
        other_source_id as payer_source_id,
        payer_source_id as other_source_id
    from links
    where payer_source_id <> other_source_id

),

reachable as (

    select
        project,
        payer_source_id,
        payer_source_id as reached_source_id
    from edges

    union

    select
        reachable.project,
        reachable.payer_source_id,
        edges.other_source_id as reached_source_id
    from reachable
    inner join edges
        on reachable.project = edges.project and reachable.reached_source_id = edges.payer_source_id

),

store_groups as (

    select
        project,
        payer_source_id,
        min(reached_source_id) as group_source_id
    from reachable
    group by project, payer_source_id

),

told as (

    select
        'revenuecat' as provider,
        paid_events.project as account,
        paid_events.product,
        paid_events.event_id,
        coalesce(store_groups.group_source_id, paid_events.payer_source_id) as group_source_id,
        paid_events.event_id as told_of,
        cast(null as {{ type_string() }}) as entity_key,
        paid_events.load_id,
        paid_events.occurred_at as happened_at,
        paid_events.received_at,
        case when paid_events.event_type = 'INITIAL_PURCHASE' then paid_events.purchased_at end as starts_at,
        'backdated_start' as start_cause,
        case
            when paid_events.event_type in ('RENEWAL', 'SUBSCRIPTION_EXTENDED') then paid_events.purchased_at
            when paid_events.event_type in ('EXPIRATION', 'BILLING_ISSUE') then paid_events.expires_at
        end as ends_at
    from paid_events
    left join store_groups
        on
            paid_events.project = store_groups.project
            and paid_events.payer_source_id = store_groups.payer_source_id

),

final as (

    {{ dated_arrivals() }}

)

select * from final
