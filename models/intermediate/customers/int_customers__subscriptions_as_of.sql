-- A subscription as it was known on each Monday: only webhooks received by then, the newest by its own time. Of a
-- store's, the payer is who it was then known to belong to, and is the source's user.
with signals as (

    select * from {{ ref('int_customers__subscription_signals') }}

),

weeks as (

    select * from {{ ref('int_customers__weeks') }}

),

store_customers as (

    select * from {{ ref('int_customers__store_customers_as_of') }}

),

known as (

    select
        signals.*,
        weeks.as_of_at,
        row_number() over (
            partition by weeks.as_of_at, signals.provider, signals.account, signals.subscription_source_id
            order by signals.occurred_at desc, signals.tie_order desc, signals.event_id desc
        ) as recency
    from weeks
    inner join signals on weeks.as_of_at >= signals.received_at

),

summed_up as (

    select
        as_of_at,
        subscription_id,
        {{ earliest_by(
            'tenant_source_id', 'case when tenant_source_id is null then 1 else 0 end, occurred_at, event_id'
        ) }} as tenant_source_id,
        {{ earliest_by(
            'user_source_id', 'case when user_source_id is null then 1 else 0 end, occurred_at, event_id'
        ) }} as user_source_id,
        min(case when is_paying then occurred_at end) as first_paid_at
    from known
    group by as_of_at, subscription_id

),

owned as (

    select
        known.as_of_at,
        known.provider,
        known.product,
        known.account,
        known.subscription_id,
        case
            when known.provider = 'revenuecat' then store_customers.customer_source_id
            else known.customer_source_id
        end as customer_source_id,
        case
            when known.provider = 'revenuecat' then store_customers.tenant_source_id
            else summed_up.tenant_source_id
        end as tenant_source_id,
        case
            when known.provider = 'revenuecat' then store_customers.customer_source_id
            else summed_up.user_source_id
        end as user_source_id,
        known.plan,
        known.billing_interval,
        known.quantity,
        known.is_cancel_requested,
        known.is_past_due,
        known.paid_until_at,
        summed_up.first_paid_at
    from known
    inner join summed_up
        on
            known.as_of_at = summed_up.as_of_at
            and known.subscription_id = summed_up.subscription_id
    left join store_customers
        on
            known.provider = 'revenuecat'
            and known.as_of_at = store_customers.as_of_at
            and known.account = store_customers.account
            and known.subscription_source_id = store_customers.subscription_source_id
    where
        known.recency = 1
        and known.is_paying
        and (known.access_until_at is null or known.access_until_at > known.as_of_at)

),

final as (

    select
        *,
        {{ entity_uuid('product', 'customer', "account || '|' || customer_source_id", true) }} as customer_id
    from owned

)

select * from final
