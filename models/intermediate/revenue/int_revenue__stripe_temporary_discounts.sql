{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['subscription_source_id'],
        'through': [
            'int_revenue__stripe_discounts',
            'int_revenue__stripe_versions',
            'int_revenue__stripe_item_amounts',
        ],
    }},
) }}

-- Coupons that end by themselves, each with the time that it covers: a repeating one until the end that Stripe says, or
-- until it is taken away; one that counts once covers the whole billing period that it was given for, though Stripe
-- takes it off the subscription as soon as it is billed. That period is the first that costs anything, after a trial.
with discounts as (

    select * from {{ ref('int_revenue__stripe_discounts') }}
    where duration in ('once', 'repeating') and {{ is_affected('entity_key') }}

),

versions as (

    select
        *,
        lead(created_at) over (
            partition by account, subscription_source_id
            order by version_number
        ) as next_created_at
    from {{ ref('int_revenue__stripe_versions') }}
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

listed as (

    select
        versions.account,
        versions.subscription_source_id,
        versions.entity_key,
        versions.version_number,
        discounts.item_position,
        discounts.discount_position,
        coalesce(discounts.discount_source_id, 'unknown') as discount_source_id,
        discounts.duration,
        discounts.duration_months,
        discounts.percent_off,
        discounts.off_source_cents,
        discounts.ends_at,
        coalesce(
            discounts.starts_at,
            case when versions.version_number = 1 then least(versions.started_at, versions.created_at) end,
            versions.created_at
        ) as starts_at,
        amounts.billing_interval,
        amounts.interval_count,
        versions.trial_over_at,
        versions.next_created_at,
        discounts.applies_to
    from discounts
    inner join versions on discounts.account = versions.account and discounts.event_id = versions.event_id
    left join amounts on discounts.account = amounts.account and discounts.event_id = amounts.event_id

),

given as (

    select
        account,
        subscription_source_id,
        item_position,
        discount_source_id,
        min(entity_key) as entity_key,
        min(discount_position) as discount_position,
        min(duration) as duration,
        max(duration_months) as duration_months,
        max(percent_off) as percent_off,
        max(off_source_cents) as off_source_cents,
        {{ earliest_by('billing_interval', 'version_number') }} as billing_interval,
        {{ earliest_by('interval_count', 'version_number') }} as interval_count,
        min(starts_at) as starts_at,
        greatest(min(starts_at), coalesce(max(trial_over_at), min(starts_at))) as charged_from,
        max(ends_at) as ends_at,
        case
            when count(next_created_at) = count(*) then max(next_created_at)
        end as removed_at,
        max(applies_to) as applies_to
    from listed
    group by account, subscription_source_id, item_position, discount_source_id

),

ended as (

    select
        *,
        case
            when duration = 'once' and removed_at < charged_from then removed_at
            when duration = 'once'
                then coalesce(
                    ends_at,
                    {{ after_billing_periods('charged_from', 'billing_interval', 'interval_count') }}
                )
            else {{ repeating_until('starts_at', 'ends_at', 'duration_months', 'removed_at') }}
        end as covered_until
    from given

),

final as (

    select
        account,
        subscription_source_id,
        item_position,
        discount_source_id,
        entity_key,
        discount_position,
        duration,
        percent_off,
        off_source_cents,
        starts_at as covered_from,
        covered_until,
        applies_to
    from ended

)

select * from final
