{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['subscription_source_id', 'event_id'],
        'through': 'loads',
    }},
) }}

-- Webhooks arrive in any order and Stripe counts whole seconds. Order: the second, then what the objects
-- say (`created` opens, `deleted` closes, an `updated` follows the version it names in
-- previous_attributes), then arrival, then the id, so that any order of loading ends in the same history.
with recursive

events as (

    select * from {{ ref('stg_stripe__subscription_events') }}
    where is_live and {{ is_affected('entity_key') }}

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

numbered as (

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

),

-- An update also says what it changed. Where nothing came before it, or nothing had when it came, that is how the
-- subscription was until then: else the new price would reach back to the start.
followed as (

    select
        *,
        min(received_at) over (
            partition by account, subscription_source_id
            order by version_number
            rows between unbounded preceding and 1 preceding
        ) as earlier_received_at,
        event_type <> 'customer.subscription.created' and (
            {{ json_value('previous_attributes', ['items', 'data', 0]) }} is not null
            or {{ json_value('previous_attributes', 'plan') }} is not null
            or {{ json_value('previous_attributes', 'quantity') }} is not null
            or {{ json_value('previous_attributes', 'discount') }} is not null
            or {{ json_value('previous_attributes', 'discounts') }} is not null
            or {{ json_value('previous_attributes', 'status') }} is not null
            or {{ json_value('previous_attributes', 'pause_collection') }} is not null
            or {{ json_value('previous_attributes', 'default_tax_rates') }} is not null
            or {{ json_value('previous_attributes', 'currency') }} is not null
        ) as says_what_was
    from numbered

),

counted_versions as (

    select
        *,
        max(case when version_number = 1 and says_what_was then 1 else 0 end) over (
            partition by account, subscription_source_id
        ) as versions_before
    from followed

),

candidates as (

    select * from followed
    where says_what_was and (version_number = 1 or created_at < earlier_received_at)

),

listed_items as (

    select
        candidates.account,
        candidates.event_id,
        candidates.previous_attributes,
        item.position,
        item.value,
        {{ json_text('item.value', 'id') }} as item_source_id,
        count(*) over (partition by candidates.account, candidates.event_id) as item_count
    from candidates
    {{ json_array_lateral('candidates.items', none, 'item') }}

),

listed_before as (

    select
        candidates.account,
        candidates.event_id,
        item.position,
        item.value,
        {{ json_text('item.value', 'id') }} as item_source_id
    from candidates
    {{ json_array_lateral('candidates.previous_attributes', ['items', 'data'], 'item') }}

),

-- an item as it was: as a whole, or what differs; or the plan and quantity of a subscription that has one item, whose
-- price, where it shows that beside the plan, is the new one
items_before as (

    select
        listed_before.account,
        listed_before.event_id,
        listed_before.position,
        coalesce(
            {{ json_merge('listed_items.value', 'listed_before.value') }}, listed_before.value
        ) as item
    from listed_before
    left join listed_items
        on
            listed_before.account = listed_items.account
            and listed_before.event_id = listed_items.event_id
            and (
                listed_before.item_source_id = listed_items.item_source_id
                or (listed_before.item_source_id is null and listed_before.position = listed_items.position)
            )

    union all

    select
        account,
        event_id,
        position,
        case
            when
                {{ json_text('previous_attributes', 'plan') }} is not null
                and {{ json_text('value', 'plan') }} is not null
                then {{ json_merge(
                    json_merge('value', json_build({
                        'plan': json_merge(
                            json_value('value', 'plan'), json_value('previous_attributes', 'plan')
                        ),
                        'price': 'cast(null as ' ~ type_string() ~ ')',
                    })),
                    json_build({'quantity': 'coalesce('
                        ~ json_integer('previous_attributes', 'quantity') ~ ', ' ~ json_integer('value', 'quantity')
                    ~ ')'})
                ) }}
            when {{ json_integer('previous_attributes', 'quantity') }} is not null
                then {{ json_merge(
                    'value', json_build({'quantity': json_integer('previous_attributes', 'quantity')})
                ) }}
            else value
        end as item
    from listed_items
    where item_count = 1 and {{ json_value('previous_attributes', ['items', 'data', 0]) }} is null

),

earlier_items as (

    select
        account,
        event_id,
        {{ json_array_agg('item', 'position') }} as items
    from items_before
    group by account, event_id

),

-- of two discounts, and of their two coupons, only that is told in which they differ
compared_discounts as (

    select
        *,
        {{ json_value('previous_attributes', 'discount') }} as previous_discount,
        {{ json_value('previous_attributes', 'discounts') }} as previous_discounts,
        coalesce(
            left(cast(discount as {{ type_string() }}), 1) = '{'
            and left({{ json_text('previous_attributes', 'discount') }}, 1) = '{',
            false
        ) as is_discount_in_part,
        coalesce(
            left({{ json_text('discount', 'coupon') }}, 1) = '{'
            and left({{ json_text('previous_attributes', ['discount', 'coupon']) }}, 1) = '{',
            false
        ) as is_coupon_in_part
    from candidates

),

earlier_discounts as (

    select
        *,
        case
            when previous_discount is null then discount
            when not is_discount_in_part then previous_discount
            when not is_coupon_in_part then {{ json_merge('discount', 'previous_discount') }}
            else {{ json_merge(
                json_merge('discount', 'previous_discount'),
                json_build({'coupon': json_merge(
                    json_value('discount', 'coupon'), json_value('previous_discount', 'coupon')
                )})
            ) }}
        end as earlier_discount,
        case
            when previous_discounts is not null then previous_discounts
            when previous_discount is null then discounts
        end as earlier_discounts
    from compared_discounts

),

versions as (

    select
        account,
        event_id,
        entity_key,
        product,
        load_id,
        subscription_source_id,
        customer_source_id,
        tenant_source_id,
        user_source_id,
        event_type,
        status,
        currency,
        items,
        legacy_plan,
        legacy_quantity,
        discount,
        discounts,
        default_tax_rates,
        subscription,
        previous_attributes,
        is_live,
        is_cancelled_at_period_end,
        is_paused,
        has_single_discount,
        false as is_discount_in_part,
        created_at,
        received_at,
        subscription_created_at,
        started_at,
        trial_ends_at,
        cancel_at,
        cancel_requested_at,
        ended_at,
        current_period_started_at,
        current_period_ends_at,
        version_number + versions_before as version_number
    from counted_versions

    union all

    -- a version without a number is none: how it was is told by others after all
    select
        candidates.account,
        candidates.event_id || '|before' as event_id,
        candidates.entity_key,
        candidates.product,
        candidates.load_id,
        candidates.subscription_source_id,
        candidates.customer_source_id,
        candidates.tenant_source_id,
        candidates.user_source_id,
        candidates.event_type,
        coalesce({{ json_text('candidates.previous_attributes', 'status') }}, candidates.status) as status,
        coalesce(
            lower({{ json_text('candidates.previous_attributes', 'currency') }}), candidates.currency
        ) as currency,
        coalesce(earlier_items.items, candidates.items) as items,
        case
            when {{ json_text('candidates.previous_attributes', 'plan') }} is null then candidates.legacy_plan
            else coalesce(
                {{ json_merge(
                    'candidates.legacy_plan', json_value('candidates.previous_attributes', 'plan')
                ) }},
                {{ json_value('candidates.previous_attributes', 'plan') }}
            )
        end as legacy_plan,
        coalesce(
            {{ json_integer('candidates.previous_attributes', 'quantity') }}, candidates.legacy_quantity
        ) as legacy_quantity,
        candidates.earlier_discount as discount,
        candidates.earlier_discounts as discounts,
        case
            when {{ json_value('candidates.previous_attributes', 'default_tax_rates') }} is not null
                then {{ json_value('candidates.previous_attributes', 'default_tax_rates') }}
            else candidates.default_tax_rates
        end as default_tax_rates,
        null as subscription,
        null as previous_attributes,
        candidates.is_live,
        candidates.is_cancelled_at_period_end,
        case
            when {{ json_value('candidates.previous_attributes', 'pause_collection') }} is null
                then candidates.is_paused
            else {{ json_text('candidates.previous_attributes', 'pause_collection') }} is not null
        end as is_paused,
        nullif(cast(candidates.earlier_discount as {{ type_string() }}), 'null') is not null
        and {{ json_text('candidates.earlier_discounts', [0]) }} is null as has_single_discount,
        candidates.is_discount_in_part,
        candidates.created_at,
        candidates.received_at,
        candidates.subscription_created_at,
        candidates.started_at,
        case
            when {{ json_value('candidates.previous_attributes', 'trial_end') }} is null
                then candidates.trial_ends_at
            else {{ to_timestamp_seconds(json_integer('candidates.previous_attributes', 'trial_end')) }}
        end as trial_ends_at,
        candidates.cancel_at,
        cast(null as {{ type_timestamp() }}) as cancel_requested_at,
        cast(null as {{ type_timestamp() }}) as ended_at,
        candidates.current_period_started_at,
        candidates.current_period_ends_at,
        case when candidates.version_number = 1 then 1 end as version_number
    from earlier_discounts as candidates
    left join earlier_items
        on candidates.account = earlier_items.account and candidates.event_id = earlier_items.event_id

),

totalled as (

    select
        *,
        count(version_number) over (partition by account, subscription_source_id) as version_count
    from versions

),

-- A subscription that began with a trial was free until its first version that is none: when that came, or by what it
-- says if that is earlier. While all are trials, until the end that the newest foretells.
final as (

    {%- set of_subscription = 'over (partition by account, subscription_source_id)' %}

    select
        *,
        case
            when
                min(case when version_number = 1 then trial_ends_at end) {{ of_subscription }}
                > min(case when version_number = 1 then least(started_at, created_at) end) {{ of_subscription }}
                then coalesce(
                    min(
                        case
                            when status <> 'trialing' and version_number is not null
                                then least(created_at, trial_ends_at)
                        end
                    ) {{ of_subscription }},
                    min(case when version_number = version_count then trial_ends_at end) {{ of_subscription }}
                )
        end as trial_over_at
    from totalled

)

select * from final
