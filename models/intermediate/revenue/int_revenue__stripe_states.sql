{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['state_key', 'subscription_source_id'],
        'through': ['int_revenue__stripe_item_states'],
        'fixed': ['int_revenue__policies'],
    }},
) }}

{%- set state_columns = 'policy, state_key, entity_key, account, subscription_source_id, state_number, event_id,'
    ~ ' product, customer_source_id, status, is_paying, counts_once_paid, is_over, is_by_itself, effective_at' -%}

-- What each state of a subscription is worth under each policy, which chooses among the amounts of its items.
with items as (

    select * from {{ ref('int_revenue__stripe_item_states') }}
    where {{ is_affected('entity_key') }}

),

policies as (

    select * from {{ ref('int_revenue__policies') }}
    where is_computed

),

-- a price of so many periods a year, in months: amount x periods_per_year / (12 x interval_count)
valued_items as (

    select
        policies.policy,
        items.*,
        items.status in ('active', 'past_due')
        and not (items.is_paused and policies.pause_counts_as_zero) as is_paying,
        items.status = 'trialing'
        and policies.trial_after_paid_counts
        and not (items.is_paused and policies.pause_counts_as_zero) as counts_once_paid,
        coalesce(
            (
                items.list_source_cents - items.forever_off_source_cents
                - case when policies.temporary_discounts_count then items.temporary_off_source_cents else 0 end
                + case when policies.metered_usage_counts then items.usage_source_cents else 0 end
            ) * {{ periods_per_year(
                'items.billing_interval', 'policies.weeks_per_year', 'policies.days_per_year'
            ) }} / (12 * items.interval_count * (1 + items.inclusive_tax_percent / 100)),
            0
        ) as exact_source_cents
    from items
    cross join policies

),

plans as (

    select
        {{ state_columns }},
        plan,
        min(item_number) as item_number,
        {{ earliest_by('billing_interval', 'item_number') }} as billing_interval,
        {{ earliest_by('interval_count', 'item_number') }} as interval_count,
        {{ earliest_by('currency', 'item_number') }} as currency,
        sum(quantity) as quantity,
        sum(exact_source_cents) as exact_source_cents
    from valued_items
    group by {{ state_columns }}, plan

),

summed as (

    select
        *,
        count(*) over (partition by policy, state_key) > 1 as has_several_plans,
        sum(exact_source_cents) over (
            partition by policy, state_key
            order by item_number
            rows between unbounded preceding and current row
        ) as up_to_source_cents
    from plans

),

-- the whole is rounded, not what it is made of: a plan has what is left of the plans up to it less those before it
shared as (

    select
        *,
        cast(up_to_source_cents as {{ type_money() }})
        - cast(up_to_source_cents - exact_source_cents as {{ type_money() }}) as full_source_cents
    from summed

),

states as (

    select
        {{ state_columns }},
        {{ earliest_by('plan', 'item_number') }} as plan,
        {{ earliest_by('billing_interval', 'item_number') }} as billing_interval,
        {{ earliest_by('interval_count', 'item_number') }} as interval_count,
        {{ earliest_by('currency', 'item_number') }} as currency,
        sum(quantity) as quantity,
        sum(full_source_cents) as full_source_cents,
        min(full_source_cents) as least_source_cents,
        min(case when full_source_cents <> 0 then plan end) as first_plan,
        max(case when full_source_cents <> 0 then plan end) as last_plan,
        {{ json_array_agg(
            "case when has_several_plans and full_source_cents <> 0 then " ~ json_build({
                'plan': 'plan', 'mrr_source_cents': 'cast(full_source_cents as ' ~ type_string() ~ ')',
            }) ~ " end",
            'plan'
        ) }} as plan_amounts
    from shared
    group by {{ state_columns }}

),

-- who has had the thing for nothing until now has not paid before
told as (

    select
        *,
        -- where usage was given back the first plan has it all, since no plan is worth less than nothing
        (first_plan <> plan or last_plan <> plan) and least_source_cents >= 0 as is_of_other_plans,
        is_paying
        or (
            counts_once_paid
            and max(case when is_paying and full_source_cents > 0 then 1 else 0 end) over (
                partition by policy, account, subscription_source_id
                order by state_number
                rows between unbounded preceding and 1 preceding
            ) = 1
        ) as does_count
    from states

),

final as (

    select
        policy,
        'stripe' as provider,
        account,
        subscription_source_id,
        state_number,
        entity_key,
        event_id,
        product,
        customer_source_id,
        status,
        plan,
        quantity,
        billing_interval,
        interval_count,
        currency,
        cast(case when does_count then full_source_cents else 0 end as {{ type_money() }}) as mrr_source_cents,
        case when does_count and is_of_other_plans then plan_amounts end as plan_amounts,
        status = 'past_due' as is_at_risk,
        is_over,
        effective_at,
        is_by_itself,
        cast(null as {{ type_timestamp() }}) as access_until_at
    from told

)

select * from final
