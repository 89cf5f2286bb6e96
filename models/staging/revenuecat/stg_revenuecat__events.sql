with source as (

    select * from {{ source('revenuecat', 'events') }}

),

final as (

    select
        project,
        event_id,
        product,
        load_id,
        app_user_id as user_source_id,
        original_app_user_id as original_user_source_id,
        aliases,
        {{ json_value('payload', ['event', 'transferred_from']) }} as transferred_from,
        {{ json_value('payload', ['event', 'transferred_to']) }} as transferred_to,
        {{ json_text('payload', ['event', 'transaction_id']) }} as transaction_source_id,
        coalesce(
            {{ json_text('payload', ['event', 'original_transaction_id']) }},
            {{ json_text('payload', ['event', 'transaction_id']) }}
        ) as subscription_source_id,
        {{ json_text('payload', ['event', 'product_id']) }} as store_product_id,
        {{ json_text(
            'payload', ['event', 'subscriber_attributes', 'tenant_id', 'value']
        ) }} as tenant_source_id,
        event_type,
        environment,
        store,
        {{ json_text('payload', ['event', 'period_type']) }} as period_type,
        coalesce(
            {{ json_text('payload', ['event', 'cancel_reason']) }},
            {{ json_text('payload', ['event', 'expiration_reason']) }}
        ) as reason,
        {{ json_number('payload', ['event', 'price']) }} as price_usd,
        {{ json_number('payload', ['event', 'tax_percentage']) }} as tax_rate,
        {{ json_number('payload', ['event', 'commission_percentage']) }} as commission_rate,
        coalesce({{ json_boolean('payload', ['event', 'is_family_share']) }}, false) as is_family_share,
        event_date,
        occurred_at,
        received_at,
        {{ to_timestamp_ms(json_integer('payload', ['event', 'purchased_at_ms'])) }} as purchased_at,
        {{ to_timestamp_ms(json_integer('payload', ['event', 'expiration_at_ms'])) }} as expires_at,
        {{ to_timestamp_ms(
            json_integer('payload', ['event', 'grace_period_expiration_at_ms'])
        ) }} as grace_expires_at
    from source

)

select * from final
