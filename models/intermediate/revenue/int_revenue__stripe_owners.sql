{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'inside': ['subscription_source_id', 'customer_source_id'],
        'through': ['loads', 'int_revenue__stripe_versions'],
    }},
) }}

-- Whose subscription it is: the first tenant and user that its metadata named, else those of its customer,
-- else the account stands for the tenant and the customer for the user. The first, so that a later
-- overwrite moves no history.
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}
    where {{ is_affected('entity_key') }}

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

customer_versions as (

    select
        *,
        row_number() over (
            partition by account, customer_source_id
            order by created_at, event_id
        ) as version_number
    from customer_events

),

customers as (

    select
        account,
        customer_source_id,
        {{ first_named('tenant_source_id') }} as tenant_source_id,
        {{ first_named('user_source_id') }} as user_source_id
    from customer_versions
    group by account, customer_source_id

),

subscriptions as (

    select
        account,
        subscription_source_id,
        min(entity_key) as entity_key,
        min(product) as product,
        {{ earliest_by('customer_source_id', 'version_number') }} as customer_source_id,
        {{ first_named('tenant_source_id') }} as tenant_source_id,
        {{ first_named('user_source_id') }} as user_source_id
    from versions
    group by account, subscription_source_id

),

final as (

    select
        subscriptions.account,
        subscriptions.subscription_source_id,
        subscriptions.entity_key,
        subscriptions.product,
        subscriptions.customer_source_id,
        coalesce(
            subscriptions.tenant_source_id, customers.tenant_source_id, subscriptions.account
        ) as tenant_source_id,
        coalesce(
            subscriptions.user_source_id, customers.user_source_id, subscriptions.customer_source_id
        ) as user_source_id
    from subscriptions
    left join customers
        on
            subscriptions.account = customers.account
            and subscriptions.customer_source_id = customers.customer_source_id

)

select * from final
