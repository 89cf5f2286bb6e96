-- Webhooks arrive in any order and Stripe counts whole seconds. Order: the second, then what the objects
-- say (`created` opens, `deleted` closes, an `updated` follows the version it names in
-- previous_attributes), then arrival, then the id, so that any order of loading ends in the same history.
with recursive

events as (

    select * from {{ ref('stg_stripe__subscription_events') }}
    where is_live

),

counted as (

    select
        *,
        count(*) over (partition by account, subscription_source_id, created_at) as events_in_second
    from events

),

precedes as (

    select
        later.account,
        later.event_id,
        earlier.event_id as earlier_event_id
    from counted as later
    inner join counted as earlier
        on
            later.account = earlier.account
            and later.subscription_source_id = earlier.subscription_source_id
            and later.created_at = earlier.created_at
            and later.event_id <> earlier.event_id
    where
        later.events_in_second > 1
        and {{ json_contains('earlier.subscription', 'later.previous_attributes') }}
        and not coalesce({{ json_contains('later.subscription', 'earlier.previous_attributes') }}, false)

),

-- an update names only the version right before it: follow the chain back to its beginning
chained as (

    select
        account,
        event_id,
        earlier_event_id
    from precedes

    union

    select
        chained.account,
        chained.event_id,
        precedes.earlier_event_id
    from chained
    inner join precedes
        on chained.account = precedes.account and chained.earlier_event_id = precedes.event_id

),

predecessors as (

    select
        account,
        event_id,
        count(*) as predecessor_count
    from chained
    group by account, event_id

),

final as (

    select
        events.*,
        row_number() over (
            partition by events.account, events.subscription_source_id
            order by
                events.created_at,
                case
                    when events.event_type = 'customer.subscription.created' then 0
                    when events.event_type = 'customer.subscription.deleted' then 2
                    else 1
                end,
                coalesce(predecessors.predecessor_count, 0),
                events.received_at,
                events.event_id
        ) as version_number
    from events
    left join predecessors
        on events.account = predecessors.account and events.event_id = predecessors.event_id

)

select * from final
