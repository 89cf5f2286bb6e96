with events as (

    select
        *,
        'revenuecat|' || project || '|' || event_id as event_key
    from {{ ref('stg_revenuecat__events') }}

),

records as (

    select * from {{ ref('int_revenue__known_records') }}
    where provider = 'revenuecat'

),

final as (

    select
        records.known_account as project,
        events.event_id,
        events.product,
        events.user_source_id,
        events.original_user_source_id,
        events.aliases,
        events.transferred_from,
        events.transferred_to,
        events.transaction_source_id,
        events.subscription_source_id,
        events.store_product_id,
        events.tenant_source_id,
        events.event_type,
        events.environment,
        events.store,
        events.period_type,
        events.reason,
        events.price_usd,
        events.is_family_share,
        events.occurred_at,
        events.received_at,
        events.purchased_at,
        events.expires_at,
        events.grace_expires_at
    from records
    inner join events on records.event_key = events.event_key

)

select * from final
