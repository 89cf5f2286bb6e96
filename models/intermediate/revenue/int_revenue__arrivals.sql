{%- set grace_seconds = 60 * var('restatement_grace_minutes') -%}

-- What each record of a subscription could change of days that were over when it came. It is known from when it came;
-- one that comes within the grace is known from when it happened. Records of one group may change each other's meaning:
-- of Stripe's those of a customer, of RevenueCat's those of payers between whom a subscription ever moved.
with recursive

versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}

),

owners as (

    select * from {{ ref('int_revenue__stripe_owners') }}

),

discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}
    where is_live

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and status <> 'draft'

),

usage_lines as (

    select * from {{ ref('int_revenue__stripe_usage_lines') }}

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live

),

store_events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION'

),

payers as (

    select * from {{ ref('int_revenue__revenuecat_payers') }}

),

store_transfers as (

    {{ store_transfers('store_events') }}

),

transfers as (

    {{ transfers_of_payers('store_transfers', 'payers') }}

),

transfer_payers as (

    select
        project,
        event_id,
        min(coalesce(giver_source_id, taker_source_id)) as payer_source_id
    from transfers
    group by project, event_id

),

paid_events as (

    select
        store_events.*,
        coalesce(
            payers.payer_source_id,
            store_events.user_source_id,
            transfer_payers.payer_source_id,
            store_events.subscription_source_id,
            store_events.event_id
        ) as payer_source_id
    from store_events
    left join payers
        on store_events.project = payers.project and store_events.user_source_id = payers.source_id
    left join transfer_payers
        on store_events.project = transfer_payers.project and store_events.event_id = transfer_payers.event_id

),

subscription_payers as (

    select
        project,
        payer_source_id,
        min(payer_source_id) over (partition by project, subscription_source_id) as first_payer_source_id
    from paid_events
    where subscription_source_id is not null

),

links as (

    select
        project,
        giver_source_id as payer_source_id,
        taker_source_id as other_source_id
    from transfers

    union

    select
        project,
        payer_source_id,
        first_payer_source_id as other_source_id
    from subscription_payers

),

edges as (

    select
        project,
        payer_source_id,
        other_source_id
    from links
    where payer_source_id <> other_source_id

    union

    select
        project,
        other_source_id as payer_source_id,
        payer_source_id as other_source_id
    from links
    where payer_source_id <> other_source_id

),

reachable as (

    select
        project,
        payer_source_id,
        payer_source_id as reached_source_id
    from edges

    union

    select
        reachable.project,
        reachable.payer_source_id,
        edges.other_source_id as reached_source_id
    from reachable
    inner join edges
        on reachable.project = edges.project and reachable.reached_source_id = edges.payer_source_id

),

store_groups as (

    select
        project,
        payer_source_id,
        min(reached_source_id) as group_source_id
    from reachable
    group by project, payer_source_id

),

-- each of these is about nothing but its customer; the end of a discount may be the first that is known of it
customer_records as (

    select
        account,
        product,
        event_id,
        coalesce(discount_source_id, event_id) as told_of,
        customer_source_id,
        load_id,
        created_at,
        received_at,
        case
            when is_of_customer and event_type = 'customer.discount.deleted'
                then {{ to_timestamp_seconds(json_integer('discount', 'start')) }}
        end as starts_at
    from discount_events

    union all

    select
        account,
        product,
        event_id,
        event_id as told_of,
        customer_source_id,
        load_id,
        created_at,
        received_at,
        cast(null as {{ type_timestamp() }}) as starts_at
    from customer_events

),

-- invoices move recurring revenue by the metered usage that they bill
metered_subscriptions as (

    select distinct
        account,
        subscription_source_id
    from usage_lines
    where subscription_source_id is not null

),

-- `starts_at` is a start that counts where the record is the first that was known of its subject (`told_of`), `ends_at`
-- an end; both may lie before what happened
told as (

    select
        'stripe' as provider,
        versions.account,
        versions.product,
        versions.event_id,
        coalesce(owners.customer_source_id, versions.customer_source_id) as group_source_id,
        versions.subscription_source_id as told_of,
        versions.load_id,
        versions.created_at as happened_at,
        versions.received_at,
        versions.started_at as starts_at,
        'backdated_start' as start_cause,
        case when versions.status in ('canceled', 'incomplete_expired') then versions.ended_at end as ends_at
    from versions
    left join owners
        on
            versions.account = owners.account
            and versions.subscription_source_id = owners.subscription_source_id

    union all

    select
        'stripe' as provider,
        account,
        product,
        event_id,
        customer_source_id as group_source_id,
        told_of,
        load_id,
        created_at as happened_at,
        received_at,
        starts_at,
        'backdated_start' as start_cause,
        cast(null as {{ type_timestamp() }}) as ends_at
    from customer_records

    union all

    select
        'stripe' as provider,
        invoice_events.account,
        invoice_events.product,
        invoice_events.event_id,
        coalesce(owners.customer_source_id, invoice_events.customer_source_id) as group_source_id,
        invoice_events.invoice_source_id as told_of,
        invoice_events.load_id,
        invoice_events.created_at as happened_at,
        invoice_events.received_at,
        invoice_events.drafted_at as starts_at,
        'correction' as start_cause,
        case when invoice_events.status = 'void' then invoice_events.drafted_at end as ends_at
    from invoice_events
    inner join metered_subscriptions
        on
            invoice_events.account = metered_subscriptions.account
            and invoice_events.subscription_source_id = metered_subscriptions.subscription_source_id
    left join owners
        on
            invoice_events.account = owners.account
            and invoice_events.subscription_source_id = owners.subscription_source_id

    union all

    select
        'revenuecat' as provider,
        paid_events.project as account,
        paid_events.product,
        paid_events.event_id,
        coalesce(store_groups.group_source_id, paid_events.payer_source_id) as group_source_id,
        paid_events.event_id as told_of,
        paid_events.load_id,
        paid_events.occurred_at as happened_at,
        paid_events.received_at,
        case when paid_events.event_type = 'INITIAL_PURCHASE' then paid_events.purchased_at end as starts_at,
        'backdated_start' as start_cause,
        case
            when paid_events.event_type in ('RENEWAL', 'SUBSCRIPTION_EXTENDED') then paid_events.purchased_at
            when paid_events.event_type in ('EXPIRATION', 'BILLING_ISSUE') then paid_events.expires_at
        end as ends_at
    from paid_events
    left join store_groups
        on
            paid_events.project = store_groups.project
            and paid_events.payer_source_id = store_groups.payer_source_id

),

known as (

    select
        *,
        case
            when {{ seconds_between('happened_at', 'received_at') }} > {{ grace_seconds }} then received_at
            else happened_at
        end as known_at
    from told

),

dated as (

    select
        *,
        {{ local_date('known_at', "'UTC'") }} as known_on,
        {{ day_start(local_date('known_at', "'UTC'"), "'UTC'") }} as known_day_at,
        min({{ local_date('known_at', "'UTC'") }}) over (partition by provider, account, told_of) as first_known_on
    from known

),

final as (

    select
        provider,
        account,
        product,
        event_id,
        provider || '|' || account || '|' || event_id as event_key,
        provider || '|' || account || '|' || group_source_id as group_key,
        group_source_id,
        load_id,
        known_on,
        happened_at,
        known_at,
        case
            when happened_at < known_at and happened_at < known_day_at then 'late_event'
            when
                known_on = first_known_on
                and starts_at < known_day_at
                and {{ seconds_between('starts_at', 'known_at') }} > {{ grace_seconds }}
                then start_cause
            when ends_at < known_day_at and {{ seconds_between('ends_at', 'known_at') }} > {{ grace_seconds }}
                then 'correction'
        end as cause
    from dated
    where group_source_id is not null

)

select * from final
