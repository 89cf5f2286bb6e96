{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['customer_source_id'],
        'through': [
            'loads',
            'int_revenue__stripe_discounts',
            'int_revenue__stripe_owners',
            'int_revenue__stripe_versions',
            'int_revenue__stripe_item_amounts',
        ],
    }},
) }}

-- A customer's discount, of which it has one at a time, with the time that it covers of each of its subscriptions.
-- Events of the discount tell it, and the customer as it then was; of which only its end is told, that says when it
-- began. One that counts once covers the billing period for which it was taken: the first that cost anything, after a
-- trial, of a subscription that had cost nothing before; else the one in which it was gone; none where it was gone by
-- the first bill.
with discounts as (

    select * from {{ ref('int_revenue__stripe_discounts') }}
    where {{ is_affected('entity_key') }}

),

discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}
    where is_live and is_of_customer and {{ is_affected('entity_key') }}

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

owners as (

    select * from {{ ref('int_revenue__stripe_owners') }}
    where {{ is_affected('entity_key') }}

),

versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}
    where version_number is not null and {{ is_affected('entity_key') }}

),

amounts as (

    select
        account,
        event_id,
        {{ earliest_by('billing_interval', 'item_position') }} as billing_interval,
        {{ earliest_by('interval_count', 'item_position') }} as interval_count
    from {{ ref('int_revenue__stripe_item_amounts') }}
    where {{ is_affected('entity_key') }}
    group by account, event_id

),

-- a customer is made before anything is given to it, and a switch takes one away and gives another, within one second
events as (

    select
        account,
        event_id,
        customer_source_id,
        created_at,
        event_type <> 'customer.discount.deleted' as has_discount,
        false as is_told_by_end,
        case when event_type = 'customer.discount.deleted' then 1 else 2 end as precedence
    from discount_events

    union all

    select
        account,
        event_id,
        customer_source_id,
        created_at,
        event_type <> 'customer.deleted' as has_discount,
        false as is_told_by_end,
        case event_type when 'customer.created' then 0 when 'customer.deleted' then 4 else 3 end as precedence
    from customer_events
    where discount is not null or event_type = 'customer.deleted'

    union all

    select
        account,
        event_id,
        customer_source_id,
        {{ to_timestamp_seconds(json_integer('discount', 'start')) }} as created_at,
        true as has_discount,
        true as is_told_by_end,
        2 as precedence
    from discount_events
    where
        event_type = 'customer.discount.deleted'
        and {{ to_timestamp_seconds(json_integer('discount', 'start')) }} < created_at

),

tellings as (

    select
        events.account,
        events.event_id,
        events.customer_source_id,
        events.created_at,
        events.is_told_by_end,
        events.precedence,
        case when events.has_discount then discounts.discount_source_id end as discount_source_id,
        case
            when events.has_discount then coalesce(discounts.starts_at, events.created_at)
            else events.created_at
        end as begins_at
    from events
    left join discounts on events.account = discounts.account and events.event_id = discounts.event_id

),

counted_tellings as (

    select
        *,
        count(case when not is_told_by_end then discount_source_id end) over (
            partition by account, customer_source_id, discount_source_id
        ) as telling_count
    from tellings

),

followed as (

    select
        *,
        coalesce(discount_source_id, '') <> coalesce(lag(discount_source_id) over (
            partition by account, customer_source_id
            order by created_at, precedence, event_id
        ), '') as is_change
    from counted_tellings
    where not is_told_by_end or telling_count = 0

),

given as (

    select
        *,
        lead(begins_at) over (
            partition by account, customer_source_id
            order by created_at, precedence, event_id
        ) as removed_at
    from followed
    where is_change

),

subscriptions as (

    select
        versions.account,
        versions.subscription_source_id,
        min(versions.entity_key) as entity_key,
        min(owners.customer_source_id) as customer_source_id,
        min(least(versions.started_at, versions.created_at)) as started_at,
        max(versions.ended_at) as ended_at,
        greatest(
            min(least(versions.started_at, versions.created_at)), max(versions.trial_over_at)
        ) as charged_at,
        {{ earliest_by('amounts.billing_interval', 'versions.version_number') }} as billing_interval,
        {{ earliest_by('amounts.interval_count', 'versions.version_number') }} as interval_count
    from versions
    inner join owners
        on
            versions.account = owners.account
            and versions.subscription_source_id = owners.subscription_source_id
    left join amounts on versions.account = amounts.account and versions.event_id = amounts.event_id
    group by versions.account, versions.subscription_source_id

),

applied as (

    select
        given.account,
        subscriptions.subscription_source_id,
        subscriptions.entity_key,
        given.event_id,
        discounts.discount_source_id,
        discounts.coupon_source_id,
        discounts.duration,
        discounts.percent_off,
        discounts.off_source_cents,
        discounts.is_read,
        subscriptions.billing_interval,
        subscriptions.interval_count,
        case
            when discounts.duration <> 'once' then given.begins_at
            when subscriptions.charged_at < given.begins_at then given.removed_at
            when given.removed_at is null or given.removed_at >= subscriptions.charged_at
                then subscriptions.charged_at
        end as covered_from,
        case
            when discounts.duration = 'forever' then given.removed_at
            when discounts.duration = 'repeating'
                then {{ repeating_until(
                    'given.begins_at', 'discounts.ends_at', 'discounts.duration_months', 'given.removed_at'
                ) }}
        end as removed_at,
        discounts.applies_to
    from given
    inner join discounts on given.account = discounts.account and given.event_id = discounts.event_id
    inner join subscriptions
        on
            given.account = subscriptions.account
            and given.customer_source_id = subscriptions.customer_source_id
            and (given.removed_at is null or given.removed_at >= subscriptions.started_at)
            and (subscriptions.ended_at is null or given.begins_at < subscriptions.ended_at)
    where given.discount_source_id is not null

),

final as (

    select
        account,
        subscription_source_id,
        event_id,
        entity_key,
        discount_source_id,
        coupon_source_id,
        duration,
        percent_off,
        off_source_cents,
        is_read,
        covered_from,
        case
            when duration <> 'once' then removed_at
            else {{ after_billing_periods('covered_from', 'billing_interval', 'interval_count') }}
        end as covered_until,
        applies_to
    from applied
    where covered_from is not null and (removed_at is null or removed_at > covered_from)

)

select * from final
