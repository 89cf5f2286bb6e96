-- What is said once per subscription: Stripe's newest version of the object, RevenueCat's purchases and
-- wishes.
with stripe_versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}
    where version_number is not null

),

revenuecat_history as (

    select * from {{ ref('int_revenue__revenuecat_history') }}

),

revenuecat_events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION'

),

newest as (

    select
        *,
        row_number() over (
            partition by subscription_source_id, account
            order by version_number desc
        ) as age_rank
    from stripe_versions

),

wishes as (

    select
        project,
        subscription_source_id,
        max(case when event_type = 'CANCELLATION' then occurred_at end) as last_cancelled_at,
        max(
            case when event_type in ('UNCANCELLATION', 'RENEWAL', 'INITIAL_PURCHASE') then occurred_at end
        ) as last_confirmed_at
    from revenuecat_events
    group by project, subscription_source_id

),

purchased as (

    select
        project,
        product,
        subscription_source_id,
        min(case when is_purchase then purchased_at end) as started_at,
        max(case when is_purchase and is_trial then expires_at end) as trial_ends_at
    from revenuecat_history
    where purchase_number > 0
    group by project, product, subscription_source_id

),

attributes as (

    select
        product,
        account,
        subscription_source_id,
        status as provider_status,
        coalesce(started_at, subscription_created_at, created_at) as started_at,
        trial_ends_at,
        cancel_requested_at,
        ended_at
    from newest
    where age_rank = 1

    union all

    select
        purchased.product,
        purchased.project as account,
        purchased.subscription_source_id,
        null as provider_status,
        purchased.started_at,
        purchased.trial_ends_at,
        case
            when wishes.last_cancelled_at > wishes.last_confirmed_at then wishes.last_cancelled_at
        end as cancel_requested_at,
        null as ended_at
    from purchased
    left join wishes
        on
            purchased.project = wishes.project
            and purchased.subscription_source_id = wishes.subscription_source_id

),

final as (

    select
        {{ entity_uuid(
            'product', 'subscription', "account || '|' || subscription_source_id", true
        ) }} as subscription_id,
        product,
        provider_status,
        started_at,
        trial_ends_at,
        cancel_requested_at,
        ended_at
    from attributes

)

select * from final
