with history as (
    select * from {{ ref('int_revenue__revenuecat_history') }}
),

policies as (
    select * from {{ ref('mrr_policies') }}
    where is_computed
),

purchases as (
    select
        *,
        cast(round({{ seconds_between('purchased_at', 'expires_at') }} / 86400) as integer) as period_days
    from history
    where is_purchase
),

-- store periods come as two instants: 28 to 31 days are a month, 364 to 366 a year, whole weeks below that weeks
priced as (
    select
        *,
        case
            when is_free or coalesce(period_days, 0) <= 0 then 0
            else greatest(price_usd, 0) * 100
        end as price_source_cents,
        case
            when period_days between 364 and 367 then 'year'
            when period_days between 28 and 31
                or period_days between 59 and 62
                or period_days between 89 and 92
                or period_days between 181 and 184 then 'month'
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
        priced.store_product_id as plan,
        priced.billing_interval,
        priced.interval_count,
        priced.price_source_cents,
        priced.is_trial as is_trial_purchase,
        priced.expires_at as purchase_expires_at,
        case
            when history.is_purchase then 'purchase'
            when history.event_type = 'TRANSFER' then 'transfer'
            when history.event_type = 'SUBSCRIPTION_EXTENDED' then 'extension'
            when history.event_type = 'BILLING_ISSUE' then 'billing_issue'
            when history.event_type = 'EXPIRATION'
                and coalesce(history.store_product_id, priced.store_product_id) = priced.store_product_id then 'expiration'
            when history.event_type = 'CANCELLATION'
                and history.reason = 'CUSTOMER_SUPPORT'
                and history.price_usd < 0
                and coalesce(history.transaction_source_id, priced.transaction_source_id) = priced.transaction_source_id then 'refund'
        end as bearing
    from history
    inner join priced
        on
            history.project = priced.project
            and history.subscription_source_id = priced.subscription_source_id
            and history.purchase_number = priced.purchase_number
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
        max(case when bearing in ('refund', 'expiration') then 1 else 0 end) over (
            partition by project, subscription_source_id, purchase_number
            order by state_number
            rows between unbounded preceding and current row
        ) = 1 as is_over
    from followed
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

final as (
    select
        policies.policy,
        'revenuecat' as provider,
        recovering.project as account,
        recovering.subscription_source_id,
        recovering.state_number,
        recovering.event_id,
        recovering.product,
        recovering.payer_source_id as customer_source_id,
        case
            when recovering.is_over then 'canceled'
            when recovering.has_billing_issue then 'past_due'
            when recovering.is_trial_purchase then 'trialing'
            else 'active'
        end as status,
        recovering.plan,
        1 as quantity,
        recovering.billing_interval,
        recovering.interval_count,
        'usd' as currency,
        case
            when recovering.is_over then 0
            else recovering.price_source_cents
                * {{ periods_per_year('recovering.billing_interval', 'policies.weeks_per_year', 'policies.days_per_year') }}
                / cast(12 * recovering.interval_count as {{ type_numeric() }})
        end as mrr_source_cents,
        recovering.has_billing_issue and not recovering.is_over as is_at_risk,
        recovering.is_over,
        case recovering.bearing
            -- paid after a failed attempt: at risk until then, though the period began earlier
            when 'purchase' then
                case
                    when recovering.follows_billing_issue then greatest(recovering.purchased_at, recovering.occurred_at)
                    else recovering.purchased_at
                end
            -- the store tells of a failed payment after the period it failed for: at risk from that period's end
            when 'billing_issue' then least(recovering.occurred_at, recovering.purchase_expires_at)
            when 'expiration' then
                case
                    when recovering.has_billing_issue
                        then least(recovering.occurred_at, greatest(recovering.access_until_at, recovering.expires_at))
                    else coalesce(recovering.expires_at, recovering.occurred_at)
                end
            else recovering.occurred_at
        end as effective_at,
        case when not recovering.is_over then recovering.access_until_at end as access_until_at
    from recovering
    cross join policies
)

select * from final
