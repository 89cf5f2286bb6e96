{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'whole': true,
    }},
) }}

with history as (

    select * from {{ ref('int_revenue__revenuecat_history') }}

),

policies as (

    select * from {{ ref('int_revenue__policies') }}
    where is_computed

),

purchases as (

    select
        *,
        cast(round({{ seconds_between('purchased_at', 'expires_at') }} / 86400) as integer) as period_days
    from history
    where is_purchase

),

-- store periods come as two instants: 28 to 31 days are a month, 364 to 366 a year, whole weeks below that
-- weeks
priced as (

    select
        *,
        case
            when is_free or coalesce(period_days, 0) <= 0 then 0
            else greatest(price_usd, 0) * 100
        end as price_source_cents,
        case
            when period_days between 364 and 367 then 'year'
            when period_days between 28 and 31 then 'month'
            when period_days between 59 and 62 then 'month'
            when period_days between 89 and 92 then 'month'
            when period_days between 181 and 184 then 'month'
            when period_days in (7, 14, 21) then 'week'
            else 'day'
        end as billing_interval,
        case
            when period_days between 364 and 367 or period_days between 28 and 31 then 1
            when period_days between 59 and 62 then 2
            when period_days between 89 and 92 then 3
            when period_days between 181 and 184 then 6
            when period_days in (7, 14, 21) then period_days / 7
            else greatest(coalesce(period_days, 1), 1)
        end as interval_count
    from purchases

),

-- each event's bearing on the purchase it follows
followed as (

    select
        history.*,
        coalesce(history.reason = 'CUSTOMER_SUPPORT' and history.price_usd < 0, false) as is_refund,
        priced.store_product_id as plan,
        priced.billing_interval,
        priced.interval_count,
        priced.price_source_cents,
        priced.is_trial as is_trial_purchase,
        priced.expires_at as purchase_expires_at,
        coalesce(history.store_product_id, priced.store_product_id)
        = priced.store_product_id as is_same_product,
        coalesce(history.transaction_source_id, priced.transaction_source_id)
        = priced.transaction_source_id as is_same_transaction
    from history
    inner join priced
        on
            history.project = priced.project
            and history.subscription_source_id = priced.subscription_source_id
            and history.purchase_number = priced.purchase_number

),

bearings as (

    select
        *,
        case
            when is_purchase then 'purchase'
            when event_type = 'TRANSFER' then 'transfer'
            when event_type = 'SUBSCRIPTION_EXTENDED' then 'extension'
            when event_type = 'BILLING_ISSUE' then 'billing_issue'
            when event_type = 'EXPIRATION' and is_same_product then 'expiration'
            when event_type = 'CANCELLATION' and is_refund and is_same_transaction then 'refund'
            -- what was paid for is there again, as far as it is not over by then
            when event_type = 'REFUND_REVERSED' and is_same_transaction and occurred_at < purchase_expires_at
                then 'reversal'
        end as bearing
    from followed

),

-- until when access lasts as far as is known after each event; grace never shortens it
reaching as (

    select
        *,
        max(
            case bearing
                when 'purchase' then expires_at
                when 'extension' then expires_at
                when 'billing_issue' then grace_expires_at
            end
        ) over (
            partition by project, subscription_source_id, purchase_number
            order by state_number
            rows between unbounded preceding and current row
        ) as access_until_at,
        max(case when bearing = 'billing_issue' then 1 else 0 end) over (
            partition by project, subscription_source_id, purchase_number
            order by state_number
            rows between unbounded preceding and current row
        ) = 1 as has_billing_issue,
        coalesce(max(case when bearing in ('refund', 'expiration') then state_number end) over (
            partition by project, subscription_source_id, purchase_number
            order by state_number
            rows between unbounded preceding and current row
        ), 0)
        > coalesce(max(case when bearing = 'reversal' then state_number end) over (
            partition by project, subscription_source_id, purchase_number
            order by state_number
            rows between unbounded preceding and current row
        ), 0) as is_over
    from bearings
    where bearing is not null

),

recovering as (

    select
        *,
        coalesce(lag(has_billing_issue) over (
            partition by project, subscription_source_id
            order by state_number
        ), false) as follows_billing_issue
    from reaching

),

dated as (

    select
        *,
        case
            -- paid after a failed attempt: at risk until then, though the period began earlier
            when bearing = 'purchase' and follows_billing_issue then greatest(purchased_at, occurred_at)
            when bearing = 'purchase' then purchased_at
            -- the store tells of a failed payment later: at risk from the end of the period it failed for
            when bearing = 'billing_issue' then least(occurred_at, purchase_expires_at)
            when bearing = 'expiration' and has_billing_issue
                then least(occurred_at, greatest(access_until_at, expires_at))
            -- told before the end that was foretold (another product was bought instead): it ended then
            when bearing = 'expiration' then least(occurred_at, coalesce(expires_at, occurred_at))
            else occurred_at
        end as effective_at
    from recovering

),

final as (

    select
        policies.policy,
        'revenuecat' as provider,
        dated.project as account,
        dated.subscription_source_id,
        dated.state_number,
        {{ billing_entity('revenuecat', 'dated.project', 'dated.payer_source_id') }} as entity_key,
        dated.event_id,
        dated.product,
        dated.payer_source_id as customer_source_id,
        case
            when dated.is_over then 'canceled'
            when dated.has_billing_issue then 'past_due'
            when dated.is_trial_purchase then 'trialing'
            else 'active'
        end as status,
        dated.plan,
        1 as quantity,
        dated.billing_interval,
        dated.interval_count,
        'usd' as currency,
        cast(
            case when dated.is_over then 0 else dated.price_source_cents end
            * {{ periods_per_year(
                'dated.billing_interval', 'policies.weeks_per_year', 'policies.days_per_year'
            ) }}
            / cast(12 * dated.interval_count as {{ type_numeric() }}) as {{ type_money() }}
        ) as mrr_source_cents,
        dated.has_billing_issue and not dated.is_over as is_at_risk,
        dated.is_over,
        dated.effective_at,
        case when not dated.is_over then dated.access_until_at end as access_until_at
    from dated
    cross join policies

)

select * from final
