{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'through': ['int_revenue__stripe_versions', 'int_revenue__stripe_items'],
    }},
) }}

-- What another provider may call a subscription that Stripe tells of itself: its id, or that of one of its items.
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}
    where {{ is_affected('entity_key') }}

),

items as (

    select * from {{ ref('int_revenue__stripe_items') }}
    where item_source_id is not null and {{ is_affected('entity_key') }}

),

final as (

    select
        entity_key,
        product,
        subscription_source_id as source_id
    from versions
    where subscription_source_id is not null

    union

    select
        versions.entity_key,
        versions.product,
        items.item_source_id as source_id
    from items
    inner join versions on items.account = versions.account and items.event_id = versions.event_id

)

select * from final
