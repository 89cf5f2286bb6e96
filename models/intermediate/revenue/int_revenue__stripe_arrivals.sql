{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['told_of'],
        'through': [
            'loads',
            'int_revenue__stripe_versions',
            'int_revenue__stripe_owners',
            'int_revenue__stripe_usage_lines',
        ],
    }},
) }}

-- What each of Stripe's records of a subscription could change of days that were over when it came. Records of one
-- customer may change each other's meaning.
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}
    where {{ is_affected('entity_key') }}

),

owners as (

    select * from {{ ref('int_revenue__stripe_owners') }}
    where {{ is_affected('entity_key') }}

),

discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and status <> 'draft' and {{ is_affected('entity_key') }}

),

usage_lines as (

    select * from {{ ref('int_revenue__stripe_usage_lines') }}
    where {{ is_affected('entity_key') }}

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

-- each of these is about nothing but its customer; the end of a discount may be the first that is known of it
customer_records as (

    select
        account,
        product,
        event_id,
        coalesce(discount_source_id, event_id) as told_of,
        entity_key,
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
        entity_key,
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

told as (

    select
        'stripe' as provider,
        versions.account,
        versions.product,
        versions.event_id,
        coalesce(owners.customer_source_id, versions.customer_source_id) as group_source_id,
        versions.subscription_source_id as told_of,
        versions.entity_key,
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
        entity_key,
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
        invoice_events.entity_key,
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

),

final as (

    {{ dated_arrivals() }}

)

select * from final
