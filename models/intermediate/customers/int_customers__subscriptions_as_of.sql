-- A subscription as it was known on each Monday: only webhooks received by then, the newest by its own time.
with signals as (

    select * from {{ ref('int_customers__subscription_signals') }}

),

weeks as (

    select * from {{ ref('int_customers__weeks') }}

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

final as (

    select
        known.as_of_at,
        known.provider,
        known.product,
        known.account,
        known.subscription_id,
        known.customer_id,
        known.customer_source_id,
        summed_up.tenant_source_id,
        summed_up.user_source_id,
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
    where
        known.recency = 1
        and known.is_paying
        and (known.access_until_at is null or known.access_until_at > known.as_of_at)

)

select * from final
