-- What each version of a subscription is worth under each policy, and from when. What begins or ends within a version
-- by itself (a coupon, usage that was billed) cuts it into parts, under the policies for which that counts.
with versions as (

    select
        *,
        account || '|' || event_id as event_key,
        account || '|' || subscription_source_id || '|' || cast(version_number as {{ type_string() }}) as version_key,
        -- a backdated start restates history from that date; an end is dated by the object, whenever the
        -- event came; a trial that ended before the first event known was worth nothing
        case
            when status in ('canceled', 'incomplete_expired')
                then coalesce(ended_at, created_at)
            when version_number > 1 or started_at is null then created_at
            when status = 'trialing' or trial_ends_at is null
                then least(created_at, started_at)
            else least(created_at, greatest(started_at, trial_ends_at))
        end as effective_at
    from {{ ref('int_revenue__stripe_versions') }}
    where version_number is not null

),

amounts as (

    select
        *,
        account || '|' || event_id as event_key
    from {{ ref('int_revenue__stripe_item_amounts') }}

),

discounts as (

    select
        *,
        account || '|' || event_id as event_key
    from {{ ref('int_revenue__stripe_discounts') }}
    where duration = 'forever'

),

temporary_discounts as (

    select * from {{ ref('int_revenue__stripe_temporary_discounts') }}
    where covered_until is null or covered_until > covered_from

),

customer_discounts as (

    select * from {{ ref('int_revenue__stripe_customer_discounts') }}

),

usage_lines as (

    select * from {{ ref('int_revenue__stripe_usage_lines') }}
    where subscription_source_id is not null and period_ends_at > period_started_at

),

policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

-- what was used counts from when it is billed, the end of its period, for another such period: until the next bill
usages as (

    select
        account,
        subscription_source_id,
        usage_source_cents * {{ periods_per_year(
            "coalesce(billing_interval, 'month')", 52, 365
        ) }} / cast(12 * coalesce(interval_count, 1) as {{ type_numeric() }}) as usage_source_cents,
        period_ends_at as covered_from,
        {{ after_billing_periods(
            'period_ends_at', "coalesce(billing_interval, 'month')", 'coalesce(interval_count, 1)'
        ) }} as covered_until
    from usage_lines

),

cuts as (

    select
        account,
        subscription_source_id,
        'discount' as cut_by,
        covered_from as cut_at
    from temporary_discounts

    union

    select
        account,
        subscription_source_id,
        'discount' as cut_by,
        covered_until as cut_at
    from temporary_discounts
    where covered_until is not null

    union

    select
        account,
        subscription_source_id,
        case when duration = 'forever' then 'forever' else 'discount' end as cut_by,
        covered_from as cut_at
    from customer_discounts

    union

    select
        account,
        subscription_source_id,
        case when duration = 'forever' then 'forever' else 'discount' end as cut_by,
        covered_until as cut_at
    from customer_discounts
    where covered_until is not null

    union

    select
        account,
        subscription_source_id,
        'usage' as cut_by,
        covered_from as cut_at
    from usages

    union

    select
        account,
        subscription_source_id,
        'usage' as cut_by,
        covered_until as cut_at
    from usages

),

moments as (

    select
        policies.policy,
        versions.account,
        versions.subscription_source_id,
        versions.version_number,
        versions.effective_at as part_at,
        1 as is_version
    from versions
    cross join policies

    union all

    select distinct
        policies.policy,
        cuts.account,
        cuts.subscription_source_id,
        cast(null as bigint) as version_number,
        cuts.cut_at as part_at,
        0 as is_version
    from cuts
    inner join policies
        on
            cuts.cut_by = 'forever'
            or (cuts.cut_by = 'discount' and policies.temporary_discounts_count)
            or (cuts.cut_by = 'usage' and policies.metered_usage_counts)

),

-- a cut belongs to the newest version that was in force
placed as (

    select
        policy,
        account,
        subscription_source_id,
        part_at,
        is_version,
        max(is_version) over (
            partition by policy, account, subscription_source_id, part_at
        ) as is_version_there,
        case
            when is_version = 1 then version_number
            else max(version_number) over (
                partition by policy, account, subscription_source_id
                order by part_at asc, is_version desc
                rows between unbounded preceding and current row
            )
        end as version_number
    from moments

),

numbered_parts as (

    select
        policy,
        account,
        subscription_source_id,
        version_number,
        part_at,
        is_version,
        account || '|' || subscription_source_id || '|' || cast(version_number as {{ type_string() }}) as version_key,
        row_number() over (
            partition by policy, account, subscription_source_id
            order by version_number asc, is_version desc, part_at asc
        ) as part_number
    from placed
    where is_version = is_version_there and version_number is not null

),

-- joins below are by one key each: an engine that knows nothing of several columns together takes their join for empty
parts as (

    select
        numbered_parts.policy,
        numbered_parts.account,
        numbered_parts.subscription_source_id,
        numbered_parts.version_key,
        versions.event_key,
        coalesce(versions.has_single_discount, false) as has_single_discount,
        numbered_parts.part_at,
        numbered_parts.is_version,
        numbered_parts.part_number,
        numbered_parts.policy || '|' || numbered_parts.account || '|' || numbered_parts.subscription_source_id
        || '|' || cast(numbered_parts.part_number as {{ type_string() }}) as part_key
    from numbered_parts
    inner join versions on numbered_parts.version_key = versions.version_key

),

applied as (

    select
        parts.part_key,
        discounts.item_position,
        discounts.discount_position,
        discounts.percent_off,
        discounts.off_source_cents
    from parts
    inner join discounts on parts.event_key = discounts.event_key

    union all

    select
        parts.part_key,
        temporary_discounts.item_position,
        20 as discount_position,
        temporary_discounts.percent_off,
        temporary_discounts.off_source_cents
    from parts
    inner join policies on parts.policy = policies.policy and policies.temporary_discounts_count
    inner join temporary_discounts
        on
            parts.account = temporary_discounts.account
            and parts.subscription_source_id = temporary_discounts.subscription_source_id
            and parts.part_at >= temporary_discounts.covered_from
            and (parts.part_at < temporary_discounts.covered_until or temporary_discounts.covered_until is null)

    union all

    -- a customer's discount comes after a subscription's list of them; the single one of the old API replaces it
    select
        parts.part_key,
        0 as item_position,
        21 as discount_position,
        customer_discounts.percent_off,
        customer_discounts.off_source_cents
    from parts
    inner join policies on parts.policy = policies.policy
    inner join customer_discounts
        on
            parts.account = customer_discounts.account
            and parts.subscription_source_id = customer_discounts.subscription_source_id
            and (customer_discounts.duration = 'forever' or policies.temporary_discounts_count)
            and parts.part_at >= customer_discounts.covered_from
            and (parts.part_at < customer_discounts.covered_until or customer_discounts.covered_until is null)
    where not parts.has_single_discount

),

numbered as (

    select
        *,
        row_number() over (
            partition by part_key, item_position
            order by discount_position, percent_off, off_source_cents
        ) as place
    from applied

),

reductions as (

    select
        part_key,
        part_key || '|' || cast(item_position as {{ type_string() }}) as item_key,
        item_position,
        {{ share_kept('percent_off', 'place') }} as share_kept,
        coalesce(sum(off_source_cents), 0) as off_source_cents
    from numbered
    group by part_key, item_position

),

billed_usage as (

    select
        parts.part_key,
        sum(usages.usage_source_cents) as usage_source_cents
    from parts
    inner join policies on parts.policy = policies.policy and policies.metered_usage_counts
    inner join usages
        on
            parts.account = usages.account
            and parts.subscription_source_id = usages.subscription_source_id
            and parts.part_at >= usages.covered_from
            and parts.part_at < usages.covered_until
    group by parts.part_key

),

-- a price of so many periods a year, in month-shares: amount x periods_per_year / (12 x interval_count)
item_months as (

    select
        parts.part_key,
        parts.part_key || '|' || cast(amounts.item_position as {{ type_string() }}) as item_key,
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
    from parts
    inner join policies on parts.policy = policies.policy
    inner join amounts on parts.event_key = amounts.event_key

),

item_years as (

    select
        item_months.*,
        greatest(
            item_months.amount_source_cents * coalesce(reductions.share_kept, 1)
            - coalesce(reductions.off_source_cents, 0),
            0
        ) * item_months.periods_per_year as intervals_source_cents
    from item_months
    left join reductions on item_months.item_key = reductions.item_key

),

item_mrr as (

    select
        *,
        intervals_source_cents / (12 * interval_count) as shown_source_cents,
        intervals_source_cents / (12 * interval_count * tax_divisor) as mrr_source_cents
    from item_years

),

subscription_mrr as (

    select
        part_key,
        {{ earliest_by('plan', 'item_position') }} as plan,
        {{ earliest_by('currency', 'item_position') }} as currency,
        {{ earliest_by('billing_interval', 'item_position') }} as billing_interval,
        {{ earliest_by('interval_count', 'item_position') }} as interval_count,
        {{ earliest_by('periods_per_year', 'item_position') }} as periods_per_year,
        sum(quantity) as quantity,
        sum(shown_source_cents) as shown_source_cents,
        sum(mrr_source_cents) as mrr_source_cents
    from item_mrr
    group by part_key

),

discounted as (

    select
        subscription_mrr.*,
        -- an amount comes off the price as it is shown, tax included, and of what is left the tax is taken out
        case
            when
                subscription_mrr.shown_source_cents = subscription_mrr.mrr_source_cents
                or coalesce(reductions.off_source_cents, 0) = 0
                then greatest(
                    subscription_mrr.mrr_source_cents * coalesce(reductions.share_kept, 1)
                    - coalesce(reductions.off_source_cents, 0) * subscription_mrr.periods_per_year
                    / (12 * subscription_mrr.interval_count),
                    0
                )
            else greatest(
                subscription_mrr.shown_source_cents * coalesce(reductions.share_kept, 1)
                - coalesce(reductions.off_source_cents, 0) * subscription_mrr.periods_per_year
                / (12 * subscription_mrr.interval_count),
                0
            ) * subscription_mrr.mrr_source_cents / subscription_mrr.shown_source_cents
        end + coalesce(billed_usage.usage_source_cents, 0) as discounted_source_cents
    from subscription_mrr
    left join reductions
        on subscription_mrr.part_key = reductions.part_key and reductions.item_position = 0
    left join billed_usage on subscription_mrr.part_key = billed_usage.part_key

),

valued as (

    select
        policies.policy,
        'stripe' as provider,
        versions.account,
        versions.subscription_source_id,
        parts.part_number as state_number,
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
        and not (versions.is_paused and policies.pause_counts_as_zero) as is_paying,
        versions.status = 'trialing'
        and policies.trial_after_paid_counts
        and not (versions.is_paused and policies.pause_counts_as_zero) as counts_once_paid,
        versions.status = 'past_due' as is_at_risk,
        versions.status in ('canceled', 'incomplete_expired') as is_over,
        parts.part_at as effective_at,
        parts.is_version = 0 as is_by_itself,
        case
            when versions.version_number > 1 or versions.status <> 'canceled' then null
            when versions.trial_ends_at is null then versions.started_at
            else greatest(versions.started_at, versions.trial_ends_at)
        end as untold_start_at
    from parts
    inner join policies on parts.policy = policies.policy
    inner join versions on parts.version_key = versions.version_key
    left join discounted on parts.part_key = discounted.part_key

),

-- who has had the thing for nothing until now has not paid before
told as (

    select
        *,
        is_paying
        or (
            counts_once_paid
            and max(case when is_paying and full_source_cents > 0 then 1 else 0 end) over (
                partition by policy, account, subscription_source_id
                order by state_number
                rows between unbounded preceding and 1 preceding
            ) = 1
        ) as does_count
    from valued

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
        is_by_itself,
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
        false as is_by_itself,
        cast(null as {{ type_timestamp() }}) as access_until_at
    from told
    where untold_start_at < effective_at and not is_by_itself

)

select * from final
