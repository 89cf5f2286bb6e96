{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['customer_source_id'],
        'through': ['loads', 'int_revenue__stripe_owners'],
    }},
) }}

-- Whom a payment without a subscription belongs to: what the customer's metadata names, else what its
-- first subscription says, else the account and the customer themselves.
with charge_events as (

    select * from {{ ref('stg_stripe__charge_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

subscription_owners as (

    select * from {{ ref('int_revenue__stripe_owners') }}
    where {{ is_affected('entity_key') }}

),

named as (

    select
        account,
        entity_key,
        product,
        customer_source_id,
        tenant_source_id,
        user_source_id,
        1 as precedence,
        event_id as source_id
    from customer_events

    union all

    select
        account,
        entity_key,
        product,
        customer_source_id,
        case when tenant_source_id <> account then tenant_source_id end as tenant_source_id,
        case when user_source_id <> customer_source_id then user_source_id end as user_source_id,
        2 as precedence,
        subscription_source_id as source_id
    from subscription_owners

    union all

    select
        account,
        entity_key,
        product,
        customer_source_id,
        tenant_source_id,
        user_source_id,
        3 as precedence,
        event_id as source_id
    from charge_events

    union all

    select
        account,
        entity_key,
        product,
        customer_source_id,
        null as tenant_source_id,
        null as user_source_id,
        4 as precedence,
        event_id as source_id
    from invoice_events

),

numbered as (

    select
        *,
        row_number() over (
            partition by account, customer_source_id
            order by precedence, source_id
        ) as version_number
    from named
    where customer_source_id is not null

),

final as (

    select
        account,
        customer_source_id,
        min(entity_key) as entity_key,
        min(product) as product,
        coalesce({{ first_named('tenant_source_id') }}, account) as tenant_source_id,
        coalesce({{ first_named('user_source_id') }}, customer_source_id) as user_source_id
    from numbered
    group by account, customer_source_id

)

select * from final
