with final as (

    {{ as_known(ref('int_revenue__known_records'), 'revenuecat', 'project', ref('stg_revenuecat__events'), [
        'event_id',
        'product',
        'user_source_id',
        'original_user_source_id',
        'aliases',
        'transferred_from',
        'transferred_to',
        'transaction_source_id',
        'subscription_source_id',
        'store_product_id',
        'tenant_source_id',
        'event_type',
        'environment',
        'store',
        'period_type',
        'reason',
        'price_usd',
        'is_family_share',
        'occurred_at',
        'received_at',
        'purchased_at',
        'expires_at',
        'grace_expires_at',
    ]) }}

)

select * from final
