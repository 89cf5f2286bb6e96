{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['subscription_source_id', 'state_key', 'item_key'],
        'through': [
            'int_revenue__stripe_versions',
            'int_revenue__stripe_item_amounts',
            'int_revenue__stripe_discounts',
            'int_revenue__stripe_temporary_discounts',
            'int_revenue__stripe_customer_discounts',
            'int_revenue__stripe_usage_lines',
        ],
    }},
) }}

-- The ledger of Stripe's subscriptions, whatever the policy: of each state of a subscription and each of its items what
-- the price is, what discounts take off and what was used, apart, for one billing period of the item. A state begins
-- with a version, and by itself where a discount begins or ends or usage is billed.
with recorded as (

    select
        *,
        account || '|' || event_id as event_key,
        status in ('canceled', 'incomplete_expired') as is_over
    from {{ ref('int_revenue__stripe_versions') }}
    where version_number is not null and {{ is_affected('entity_key') }}

),

amounts as (

    select
        *,
        account || '|' || event_id as event_key
    from {{ ref('int_revenue__stripe_item_amounts') }}
    where {{ is_affected('entity_key') }}

),

forever_discounts as (

    select
        *,
        account || '|' || event_id as event_key
    from {{ ref('int_revenue__stripe_discounts') }}
    where duration = 'forever' and {{ is_affected('entity_key') }}

),

temporary_discounts as (

    select * from {{ ref('int_revenue__stripe_temporary_discounts') }}
    where (covered_until is null or covered_until > covered_from) and {{ is_affected('entity_key') }}

),

customer_discounts as (

    select * from {{ ref('int_revenue__stripe_customer_discounts') }}
    where {{ is_affected('entity_key') }}

),

usage_lines as (

    select * from {{ ref('int_revenue__stripe_usage_lines') }}
    where
        subscription_source_id is not null
        and period_ends_at > period_started_at
        and {{ is_affected('entity_key') }}

),

plan_labels as (

    select * from {{ ref('plan_labels') }}

),

-- a backdated start restates history from that date; an end is dated by the object, whenever the event came; a trial
-- that ended before the first event known was worth nothing
dated as (

    select
        *,
        case
            when is_over then coalesce(ended_at, created_at)
            when version_number > 1 or started_at is null then created_at
            when status = 'trialing' or trial_ends_at is null then least(created_at, started_at)
            else least(created_at, greatest(started_at, trial_ends_at))
        end as effective_at,
        case
            when version_number > 1 or status <> 'canceled' then null
            when trial_ends_at is null then started_at
            else greatest(started_at, trial_ends_at)
        end as untold_start_at
    from recorded

),

versions as (

    select
        account,
        subscription_source_id,
        version_number,
        account || '|' || subscription_source_id || '|' || cast(version_number as {{ type_string() }}) as version_key,
        event_id,
        event_key,
        entity_key,
        product,
        customer_source_id,
        currency,
        status,
        is_paused,
        is_over,
        coalesce(has_single_discount, false) as has_single_discount,
        effective_at
    from dated

    union all

    -- of whom only the end is known, the end says what was paid until then
    select
        account,
        subscription_source_id,
        0 as version_number,
        account || '|' || subscription_source_id || '|0' as version_key,
        event_id,
        event_key,
        entity_key,
        product,
        customer_source_id,
        currency,
        'active' as status,
        false as is_paused,
        false as is_over,
        coalesce(has_single_discount, false) as has_single_discount,
        untold_start_at as effective_at
    from dated
    where untold_start_at < effective_at

),

-- what was used counts from when it is billed, the end of its period, for another such period: until the next bill
usages as (

    select
        *,
        period_ends_at as covered_from,
        {{ after_the_next_period(
            'period_started_at', 'period_ends_at',
            "coalesce(billing_interval, 'month')", 'coalesce(interval_count, 1)'
        ) }} as covered_until
    from usage_lines

),

beginnings as (

    select
        account,
        subscription_source_id,
        version_number,
        effective_at,
        1 as is_version
    from versions
    {%- for terms in ['temporary_discounts', 'customer_discounts', 'usages'] %}
    {%- for bound in ['covered_from', 'covered_until'] %}

    union

    select
        account,
        subscription_source_id,
        cast(null as bigint) as version_number,
        {{ bound }} as effective_at,
        0 as is_version
    from {{ terms }}
    where {{ bound }} is not null
    {%- endfor %}
    {%- endfor %}

),

-- what begins by itself belongs to the newest version that was in force
placed as (

    select
        account,
        subscription_source_id,
        effective_at,
        is_version,
        max(is_version) over (partition by account, subscription_source_id, effective_at) as is_version_there,
        case
            when is_version = 1 then version_number
            else max(version_number) over (
                partition by account, subscription_source_id
                order by effective_at asc, is_version desc
                rows between unbounded preceding and current row
            )
        end as version_number
    from beginnings

),

-- from 0 where a state goes before the first version
numbered as (

    select
        *,
        account || '|' || subscription_source_id || '|' || cast(version_number as {{ type_string() }}) as version_key,
        row_number() over (
            partition by account, subscription_source_id
            order by version_number asc, is_version desc, effective_at asc
        ) - case
            when min(version_number) over (partition by account, subscription_source_id) = 0 then 1
            else 0
        end as state_number
    from placed
    where is_version = is_version_there and version_number is not null

),

-- joins below are by one key each: an engine that knows nothing of several columns together takes their join for empty
states as (

    select
        numbered.account || '|' || numbered.subscription_source_id
        || '|' || cast(numbered.state_number as {{ type_string() }}) as state_key,
        numbered.account,
        numbered.subscription_source_id,
        numbered.state_number,
        versions.event_id,
        versions.event_key,
        versions.entity_key,
        versions.product,
        versions.customer_source_id,
        versions.currency,
        versions.status,
        versions.is_paused,
        versions.is_over,
        versions.has_single_discount,
        numbered.is_version = 0 as is_by_itself,
        numbered.effective_at
    from numbered
    inner join versions on numbered.version_key = versions.version_key
    where numbered.is_version = 1 or not versions.is_over

),

applied as (

    select
        states.state_key,
        forever_discounts.item_position,
        forever_discounts.discount_position,
        true as is_forever,
        forever_discounts.percent_off,
        forever_discounts.off_source_cents,
        cast(null as {{ type_timestamp() }}) as covered_until,
        forever_discounts.applies_to
    from states
    inner join forever_discounts on states.event_key = forever_discounts.event_key

    union all

    select
        states.state_key,
        temporary_discounts.item_position,
        20 as discount_position,
        false as is_forever,
        temporary_discounts.percent_off,
        temporary_discounts.off_source_cents,
        temporary_discounts.covered_until,
        temporary_discounts.applies_to
    from states
    inner join temporary_discounts
        on
            states.account = temporary_discounts.account
            and states.subscription_source_id = temporary_discounts.subscription_source_id
            and states.effective_at >= temporary_discounts.covered_from
            and (
                states.effective_at < temporary_discounts.covered_until or temporary_discounts.covered_until is null
            )

    union all

    -- a customer's discount comes after a subscription's list of them; the single one of the old API replaces it
    select
        states.state_key,
        0 as item_position,
        21 as discount_position,
        customer_discounts.duration = 'forever' as is_forever,
        customer_discounts.percent_off,
        customer_discounts.off_source_cents,
        customer_discounts.covered_until,
        customer_discounts.applies_to
    from states
    inner join customer_discounts
        on
            states.account = customer_discounts.account
            and states.subscription_source_id = customer_discounts.subscription_source_id
            and states.effective_at >= customer_discounts.covered_from
            and (states.effective_at < customer_discounts.covered_until or customer_discounts.covered_until is null)
    where not states.has_single_discount

),

ordered as (

    select
        *,
        row_number() over (
            partition by state_key, item_position
            order by discount_position, percent_off, off_source_cents
        ) as place
    from applied
    where item_position > 0 or applies_to is null

),

-- what the forever ones take off, and what all do; position 0 is the subscription
reductions as (

    select
        state_key || '|' || cast(item_position as {{ type_string() }}) as item_key,
        {{ share_kept('case when is_forever then percent_off end', 'place') }} as forever_share_kept,
        {{ share_kept('percent_off', 'place') }} as all_share_kept,
        coalesce(sum(case when is_forever then off_source_cents end), 0) as forever_amount_source_cents,
        coalesce(sum(off_source_cents), 0) as all_amount_source_cents,
        min(case when not is_forever then covered_until end) as temporary_until
    from ordered
    group by state_key, item_position

),

items as (

    select
        states.state_key,
        states.state_key || '|' || cast(amounts.item_position as {{ type_string() }}) as item_key,
        amounts.item_position,
        amounts.plan,
        amounts.currency,
        amounts.billing_interval,
        amounts.interval_count,
        amounts.quantity,
        amounts.inclusive_tax_percent,
        case when amounts.is_metered then 0 else amounts.amount_source_cents end as list_source_cents,
        0 as usage_source_cents,
        amounts.product_source_id
    from states
    inner join amounts on states.event_key = amounts.event_key

    union all

    select
        states.state_key,
        states.state_key || '|' || usages.event_id
        || '|' || cast(usages.line_position as {{ type_string() }}) as item_key,
        null as item_position,
        usages.plan,
        usages.currency,
        coalesce(usages.billing_interval, 'month') as billing_interval,
        coalesce(usages.interval_count, 1) as interval_count,
        null as quantity,
        0 as inclusive_tax_percent,
        0 as list_source_cents,
        usages.usage_source_cents,
        null as product_source_id
    from states
    inner join usages
        on
            states.account = usages.account
            and states.subscription_source_id = usages.subscription_source_id
            and states.effective_at >= usages.covered_from
            and states.effective_at < usages.covered_until

),

-- what was used comes after all items
billed as (

    select
        *,
        row_number() over (
            partition by state_key
            order by case when item_position is null then 1 else 0 end, item_position, item_key
        ) as item_number,
        {{ periods_per_year('billing_interval', 52, 365) }}
        / cast(interval_count as {{ type_numeric() }}) as bills_per_year
    from items

),

-- a discount of the subscription that is limited to products comes off its items of these, and off an item whose
-- product nobody says
limited as (

    select
        items.item_key,
        applied.is_forever,
        applied.percent_off,
        applied.off_source_cents,
        applied.covered_until,
        applied.applies_to,
        row_number() over (
            partition by items.item_key
            order by applied.discount_position, applied.percent_off, applied.off_source_cents
        ) as place
    from applied
    inner join items on applied.state_key = items.state_key
    where
        applied.item_position = 0
        and applied.applies_to is not null
        and items.item_position is not null
        and coalesce(position('"' || items.product_source_id || '"' in applied.applies_to) > 0, true)

),

limited_reductions as (

    select
        item_key,
        {{ share_kept('case when is_forever then percent_off end', 'place') }} as forever_share_kept,
        {{ share_kept('percent_off', 'place') }} as all_share_kept,
        min(case when not is_forever then covered_until end) as temporary_until
    from limited
    group by item_key

),

limited_amounts as (

    select
        item_key,
        applies_to,
        coalesce(sum(case when is_forever then off_source_cents end), 0) as forever_amount_source_cents,
        sum(off_source_cents) as all_amount_source_cents
    from limited
    where off_source_cents > 0
    group by item_key, applies_to

),

-- an item's own discounts come first, then the percentages of the subscription
{%- set kinds = ['forever', 'all'] %}
lowered as (

    select
        billed.*,
        {%- for kind in kinds %}
        greatest(
            billed.list_source_cents * coalesce(of_item.{{ kind }}_share_kept, 1)
            - coalesce(of_item.{{ kind }}_amount_source_cents, 0),
            0
        ) * coalesce(of_subscription.{{ kind }}_share_kept, 1)
        * coalesce(of_products.{{ kind }}_share_kept, 1) as {{ kind }}_percent_left_source_cents,
        coalesce(of_subscription.{{ kind }}_amount_source_cents, 0) as {{ kind }}_amount_source_cents,
        {%- endfor %}
        least(
            coalesce(of_item.temporary_until, of_subscription.temporary_until, of_products.temporary_until),
            coalesce(of_subscription.temporary_until, of_products.temporary_until, of_item.temporary_until),
            coalesce(of_products.temporary_until, of_item.temporary_until, of_subscription.temporary_until)
        ) as temporary_until,
        -- amounts of several billing intervals add up in the first item's
        billed.bills_per_year / first_value(billed.bills_per_year) over (
            partition by billed.state_key
            order by billed.item_number
        ) as weight
    from billed
    left join reductions as of_item on billed.item_key = of_item.item_key
    left join reductions as of_subscription on billed.state_key || '|0' = of_subscription.item_key
    left join limited_reductions as of_products on billed.item_key = of_products.item_key

),

-- then an amount off some products, of each of their items by its part in what they cost, as below of all items
limited_sums as (

    select
        {%- for kind in kinds %}
        limited_amounts.{{ kind }}_amount_source_cents,
        lowered.{{ kind }}_percent_left_source_cents,
        sum(lowered.{{ kind }}_percent_left_source_cents * lowered.weight) over (
            partition by lowered.state_key, limited_amounts.applies_to
        ) as {{ kind }}_total_source_cents,
        sum(lowered.{{ kind }}_percent_left_source_cents * lowered.weight) over (
            partition by lowered.state_key, limited_amounts.applies_to
            order by lowered.item_number
            rows between unbounded preceding and current row
        ) as {{ kind }}_up_to_source_cents,
        {%- endfor %}
        lowered.item_key,
        lowered.weight
    from lowered
    inner join limited_amounts on lowered.item_key = limited_amounts.item_key

),

limited_offs as (

    select
        {%- for kind in kinds %}
        {%- set part = '* ' ~ kind ~ '_amount_source_cents / ' ~ kind ~ '_total_source_cents' %}
        sum(case
            when {{ kind }}_amount_source_cents >= {{ kind }}_total_source_cents
                then {{ kind }}_percent_left_source_cents
            else (
                round({{ kind }}_up_to_source_cents {{ part }}, 12)
                - round(
                    ({{ kind }}_up_to_source_cents - {{ kind }}_percent_left_source_cents * weight) {{ part }}, 12
                )
            ) / weight
        end) as {{ kind }}_off_source_cents,
        {%- endfor %}
        item_key
    from limited_sums
    group by item_key

),

lowered_by_products as (

    select
        {%- for kind in kinds %}
        greatest(
            lowered.{{ kind }}_percent_left_source_cents - coalesce(limited_offs.{{ kind }}_off_source_cents, 0), 0
        ) as {{ kind }}_lowered_source_cents,
        {%- endfor %}
        lowered.*
    from lowered
    left join limited_offs on lowered.item_key = limited_offs.item_key

),

summed as (

    select
        {%- for kind in kinds %}
        sum({{ kind }}_lowered_source_cents * weight) over (partition by state_key) as {{ kind }}_total_source_cents,
        sum({{ kind }}_lowered_source_cents * weight) over (
            partition by state_key
            order by item_number
            rows between unbounded preceding and current row
        ) as {{ kind }}_up_to_source_cents,
        {%- endfor %}
        *
    from lowered_by_products

),

-- then an amount off the subscription, of each item by its part in the price as it is shown: what is left of the items
-- up to this one less what is left of those before it, so that the items come to the whole
shared as (

    select
        {%- for kind in kinds %}
        {%- set left = '* (' ~ kind ~ '_total_source_cents - ' ~ kind ~ '_amount_source_cents) / '
            ~ kind ~ '_total_source_cents' %}
        case
            when {{ kind }}_amount_source_cents = 0 then {{ kind }}_lowered_source_cents
            when {{ kind }}_amount_source_cents >= {{ kind }}_total_source_cents then 0
            else (
                round({{ kind }}_up_to_source_cents {{ left }}, 12)
                - round(({{ kind }}_up_to_source_cents - {{ kind }}_lowered_source_cents * weight) {{ left }}, 12)
            ) / weight
        end as {{ kind }}_left_source_cents,
        {%- endfor %}
        *
    from summed

),

final as (

    select
        states.state_key,
        coalesce(shared.item_key, states.state_key) as item_key,
        states.account,
        states.subscription_source_id,
        states.state_number,
        states.entity_key,
        shared.item_position,
        shared.item_number,
        states.event_id,
        states.product,
        states.customer_source_id,
        states.status,
        coalesce(plan_labels.plan_label, shared.plan) as plan,
        coalesce(shared.currency, states.currency) as currency,
        shared.billing_interval,
        shared.interval_count,
        shared.quantity,
        cast(shared.list_source_cents as {{ type_money() }}) as list_source_cents,
        cast(
            shared.list_source_cents - shared.forever_left_source_cents as {{ type_money() }}
        ) as forever_off_source_cents,
        cast(
            shared.forever_left_source_cents - shared.all_left_source_cents as {{ type_money() }}
        ) as temporary_off_source_cents,
        case when shared.item_position is not null then shared.temporary_until end as temporary_until,
        shared.inclusive_tax_percent,
        cast(shared.usage_source_cents as {{ type_money() }}) as usage_source_cents,
        states.is_paused,
        states.is_over,
        states.is_by_itself,
        states.effective_at
    from states
    left join shared on states.state_key = shared.state_key
    left join plan_labels on states.product = plan_labels.product and shared.plan = plan_labels.plan

)

select * from final
