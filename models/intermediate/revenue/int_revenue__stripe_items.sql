{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'by': 'customers_of_changed_tiers',
        'through': ['int_revenue__stripe_versions', 'int_revenue__stripe_price_tiers'],
    }},
) }}

-- `price` (new) or `plan` (old); a subscription of the oldest shape has one plan of its own and no items. Webhooks show
-- a tiered price without its tiers: they come from a list of prices, where one was landed. A subscription in another
-- currency than its price pays what the price says for that currency, which Stripe shows on request, too.
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}
    where {{ is_affected('entity_key') }}

),

listed as (

    select
        versions.account,
        versions.event_id,
        versions.entity_key,
        versions.subscription_source_id,
        versions.created_at as told_at,
        item.position as item_position,
        item.value as item,
        versions.currency as subscription_currency,
        versions.default_tax_rates
    from versions
    {{ json_array_lateral('versions.items', none, 'item') }}

),

single as (

    select
        account,
        event_id,
        entity_key,
        subscription_source_id,
        created_at as told_at,
        1 as item_position,
        {{ json_build({'plan': 'legacy_plan', 'quantity': 'legacy_quantity'}) }} as item,
        currency as subscription_currency,
        default_tax_rates
    from versions
    where {{ json_text('items', [0]) }} is null and {{ json_text('legacy_plan', 'id') }} is not null

),

unioned as (

    select * from listed

    union all

    select * from single

),

items as (

    select
        *,
        coalesce(
            {{ json_text('item', ['price', 'id']) }}, {{ json_text('item', ['plan', 'id']) }}
        ) as price_source_id,
        lower(coalesce(
            {{ json_text('item', ['price', 'currency']) }}, {{ json_text('item', ['plan', 'currency']) }}
        )) as price_currency
    from unioned

),

known_prices as (

    select * from {{ ref('int_revenue__stripe_price_tiers') }}

),

options as (

    select
        items.account,
        items.event_id,
        items.item_position,
        coalesce(
            {{ json_number('choice.value', 'unit_amount') }},
            {{ json_number('choice.value', 'unit_amount_decimal') }}
        ) as unit_source_cents,
        case
            when {{ json_text('choice.value', ['tiers', 0]) }} is not null
                then {{ json_value('choice.value', 'tiers') }}
        end as tiers
    from items
    {{ json_object_lateral(json_value('items.item', ['price', 'currency_options']), 'choice') }}
    where lower(choice.key) = items.subscription_currency

),

priced as (

    select
        items.*,
        options.unit_source_cents as option_source_cents,
        options.tiers as option_tiers,
        known_prices.tiers_mode as known_tiers_mode,
        known_prices.tiers as known_tiers,
        coalesce(items.subscription_currency <> items.price_currency, false) as is_in_other_currency
    from items
    left join known_prices
        on items.account = known_prices.account and items.price_source_id = known_prices.price_source_id
    left join options
        on
            items.account = options.account
            and items.event_id = options.event_id
            and items.item_position = options.item_position

),

final as (

    select
        account,
        event_id,
        item_position,
        entity_key,
        subscription_source_id,
        told_at,
        {{ json_text('item', 'id') }} as item_source_id,
        price_source_id,
        {{ stripe_key('account', 'price_source_id') }} as price_key,
        coalesce(
            {{ json_text('item', ['price', 'lookup_key']) }},
            {{ json_text('item', ['price', 'nickname']) }},
            {{ json_text('item', ['plan', 'nickname']) }},
            price_source_id
        ) as plan,
        case when is_in_other_currency then subscription_currency else price_currency end as currency,
        coalesce(
            {{ json_text('item', ['price', 'recurring', 'interval']) }},
            {{ json_text('item', ['plan', 'interval']) }}
        ) as billing_interval,
        coalesce(
            {{ json_integer('item', ['price', 'recurring', 'interval_count']) }},
            {{ json_integer('item', ['plan', 'interval_count']) }},
            1
        ) as interval_count,
        coalesce(
            {{ json_text('item', ['price', 'recurring', 'usage_type']) }},
            {{ json_text('item', ['plan', 'usage_type']) }},
            'licensed'
        ) = 'metered' as is_metered,
        coalesce(
            {{ json_text('item', ['price', 'tiers_mode']) }},
            {{ json_text('item', ['plan', 'tiers_mode']) }},
            known_tiers_mode
        ) as tiers_mode,
        coalesce({{ json_integer('item', 'quantity') }}, 1) as quantity,
        case
            when is_in_other_currency then option_source_cents
            else coalesce(
                {{ json_number('item', ['price', 'unit_amount']) }},
                {{ json_number('item', ['price', 'unit_amount_decimal']) }},
                {{ json_number('item', ['plan', 'amount']) }},
                {{ json_number('item', ['plan', 'amount_decimal']) }}
            )
        end as unit_source_cents,
        coalesce(
            {{ json_integer('item', ['price', 'transform_quantity', 'divide_by']) }},
            {{ json_integer('item', ['plan', 'transform_usage', 'divide_by']) }}
        ) as quantity_divisor,
        coalesce(
            {{ json_text('item', ['price', 'transform_quantity', 'round']) }},
            {{ json_text('item', ['plan', 'transform_usage', 'round']) }}
        ) as quantity_rounding,
        case
            when is_in_other_currency then option_tiers
            when {{ json_text('item', ['price', 'tiers', 0]) }} is not null
                then {{ json_value('item', ['price', 'tiers']) }}
            when {{ json_text('item', ['plan', 'tiers', 0]) }} is not null
                then {{ json_value('item', ['plan', 'tiers']) }}
            else known_tiers
        end as tiers,
        case
            when {{ json_text('item', ['tax_rates', 0, 'percentage']) }} is not null
                then {{ json_value('item', ['tax_rates']) }}
            else default_tax_rates
        end as tax_rates,
        {{ json_value('item', ['discounts']) }} as discounts,
        coalesce(
            {{ json_text('item', ['price', 'product', 'id']) }},
            {{ json_text('item', ['price', 'product']) }},
            {{ json_text('item', ['plan', 'product', 'id']) }},
            {{ json_text('item', ['plan', 'product']) }}
        ) as product_source_id
    from priced

)

select * from final
