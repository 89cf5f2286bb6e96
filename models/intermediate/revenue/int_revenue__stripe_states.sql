with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}

),

amounts as (

    select * from {{ ref('int_revenue__stripe_item_amounts') }}

),

discounts as (

    select * from {{ ref('int_revenue__stripe_discounts') }}

),

policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

reductions as (

    select
        policies.policy,
        discounts.account,
        discounts.event_id,
        discounts.item_position,
        {{ share_kept('discounts.percent_off', 'discounts.discount_position') }} as share_kept,
        coalesce(sum(discounts.off_source_cents), 0) as off_source_cents
    from discounts
    cross join policies
    where discounts.duration = 'forever' or policies.temporary_discounts_count
    group by policies.policy, discounts.account, discounts.event_id, discounts.item_position

),

-- a price of so many periods a year, in month-shares: amount x periods_per_year / (12 x interval_count)
item_months as (

    select
        policies.policy,
        amounts.account,
        amounts.event_id,
        amounts.item_position,
        amounts.plan,
        amounts.currency,
        amounts.billing_interval,
        amounts.interval_count,
        amounts.quantity,
        {{ periods_per_year(
            'amounts.billing_interval', 'policies.weeks_per_year', 'policies.days_per_year'
        ) }} as periods_per_year,
        case when amounts.is_metered then 0 else amounts.amount_source_cents end as amount_source_cents,
        1 + amounts.inclusive_tax_percent / 100 as tax_divisor
    from amounts
    cross join policies

),

item_mrr as (

    select
        item_months.*,
        greatest(
            item_months.amount_source_cents * coalesce(reductions.share_kept, 1)
            - coalesce(reductions.off_source_cents, 0),
            0
        ) * item_months.periods_per_year
        / (12 * item_months.interval_count * item_months.tax_divisor) as mrr_source_cents
    from item_months
    left join reductions
        on
            item_months.policy = reductions.policy
            and item_months.account = reductions.account
            and item_months.event_id = reductions.event_id
            and item_months.item_position = reductions.item_position

),

subscription_mrr as (

    select
        policy,
        account,
        event_id,
        {{ earliest_by('plan', 'item_position') }} as plan,
        {{ earliest_by('currency', 'item_position') }} as currency,
        {{ earliest_by('billing_interval', 'item_position') }} as billing_interval,
        {{ earliest_by('interval_count', 'item_position') }} as interval_count,
        {{ earliest_by('periods_per_year', 'item_position') }} as periods_per_year,
        sum(quantity) as quantity,
        sum(mrr_source_cents) as mrr_source_cents
    from item_mrr
    group by policy, account, event_id

),

discounted as (

    select
        subscription_mrr.*,
        greatest(
            subscription_mrr.mrr_source_cents * coalesce(reductions.share_kept, 1)
            - coalesce(reductions.off_source_cents, 0) * subscription_mrr.periods_per_year
            / (12 * subscription_mrr.interval_count),
            0
        ) as discounted_source_cents
    from subscription_mrr
    left join reductions
        on
            subscription_mrr.policy = reductions.policy
            and subscription_mrr.account = reductions.account
            and subscription_mrr.event_id = reductions.event_id
            and reductions.item_position = 0

),

told as (

    select
        policies.policy,
        'stripe' as provider,
        versions.account,
        versions.subscription_source_id,
        versions.version_number as state_number,
        versions.event_id,
        versions.product,
        versions.customer_source_id,
        versions.status,
        discounted.plan,
        discounted.quantity,
        discounted.billing_interval,
        discounted.interval_count,
        coalesce(discounted.currency, versions.currency) as currency,
        cast(coalesce(discounted.discounted_source_cents, 0) as {{ type_money() }}) as full_source_cents,
        versions.status in ('active', 'past_due')
        and not (versions.is_paused and policies.pause_counts_as_zero) as does_count,
        versions.status = 'past_due' as is_at_risk,
        versions.status in ('canceled', 'incomplete_expired') as is_over,
        -- a backdated start restates history from that date; an end is dated by the object, whenever the
        -- event came; a trial that ended before the first event known was worth nothing
        case
            when versions.status in ('canceled', 'incomplete_expired')
                then coalesce(versions.ended_at, versions.created_at)
            when versions.version_number > 1 or versions.started_at is null then versions.created_at
            when versions.status = 'trialing' or versions.trial_ends_at is null
                then least(versions.created_at, versions.started_at)
            else least(versions.created_at, greatest(versions.started_at, versions.trial_ends_at))
        end as effective_at,
        case
            when versions.version_number > 1 or versions.status <> 'canceled' then null
            when versions.trial_ends_at is null then versions.started_at
            else greatest(versions.started_at, versions.trial_ends_at)
        end as untold_start_at
    from versions
    cross join policies
    left join discounted
        on
            policies.policy = discounted.policy
            and versions.account = discounted.account
            and versions.event_id = discounted.event_id

),

final as (

    select
        policy,
        provider,
        account,
        subscription_source_id,
        state_number,
        event_id,
        product,
        customer_source_id,
        status,
        plan,
        quantity,
        billing_interval,
        interval_count,
        currency,
        case when does_count then full_source_cents else cast(0 as {{ type_money() }}) end as mrr_source_cents,
        is_at_risk,
        is_over,
        effective_at,
        cast(null as {{ type_timestamp() }}) as access_until_at
    from told

    union all

    -- of whom only the end is known, the end says what was paid until then
    select
        policy,
        provider,
        account,
        subscription_source_id,
        0 as state_number,
        event_id,
        product,
        customer_source_id,
        'active' as status,
        plan,
        quantity,
        billing_interval,
        interval_count,
        currency,
        full_source_cents as mrr_source_cents,
        false as is_at_risk,
        false as is_over,
        untold_start_at as effective_at,
        cast(null as {{ type_timestamp() }}) as access_until_at
    from told
    where untold_start_at < effective_at

)

select * from final
