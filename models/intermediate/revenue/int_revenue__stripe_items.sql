-- `price` (new) or `plan` (old); a subscription of the oldest shape has one plan of its own and no items.
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}

),

listed as (

    select
        versions.account,
        versions.event_id,
        item.position as item_position,
        item.value as item,
        versions.default_tax_rates
    from versions
    {{ json_array_lateral('versions.items', none, 'item') }}

),

single as (

    select
        account,
        event_id,
        1 as item_position,
        {{ json_build({'plan': 'legacy_plan', 'quantity': 'legacy_quantity'}) }} as item,
        default_tax_rates
    from versions
    where {{ json_text('items', [0]) }} is null and {{ json_text('legacy_plan', 'id') }} is not null

),

items as (

    select * from listed

    union all

    select * from single

),

final as (

    select
        account,
        event_id,
        item_position,
        {{ json_text('item', 'id') }} as item_source_id,
        coalesce(
            {{ json_text('item', ['price', 'id']) }}, {{ json_text('item', ['plan', 'id']) }}
        ) as price_source_id,
        coalesce(
            {{ json_text('item', ['price', 'lookup_key']) }},
            {{ json_text('item', ['price', 'nickname']) }},
            {{ json_text('item', ['plan', 'nickname']) }},
            {{ json_text('item', ['price', 'id']) }},
            {{ json_text('item', ['plan', 'id']) }}
        ) as plan,
        lower(coalesce(
            {{ json_text('item', ['price', 'currency']) }}, {{ json_text('item', ['plan', 'currency']) }}
        )) as currency,
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
            {{ json_text('item', ['plan', 'tiers_mode']) }}
        ) as tiers_mode,
        coalesce({{ json_integer('item', 'quantity') }}, 1) as quantity,
        coalesce(
            {{ json_number('item', ['price', 'unit_amount']) }},
            {{ json_number('item', ['price', 'unit_amount_decimal']) }},
            {{ json_number('item', ['plan', 'amount']) }},
            {{ json_number('item', ['plan', 'amount_decimal']) }}
        ) as unit_source_cents,
        coalesce(
            {{ json_integer('item', ['price', 'transform_quantity', 'divide_by']) }},
            {{ json_integer('item', ['plan', 'transform_usage', 'divide_by']) }}
        ) as quantity_divisor,
        coalesce(
            {{ json_text('item', ['price', 'transform_quantity', 'round']) }},
            {{ json_text('item', ['plan', 'transform_usage', 'round']) }}
        ) as quantity_rounding,
        case
            when {{ json_text('item', ['price', 'tiers', 0]) }} is not null
                then {{ json_value('item', ['price', 'tiers']) }}
            else {{ json_value('item', ['plan', 'tiers']) }}
        end as tiers,
        case
            when {{ json_text('item', ['tax_rates', 0, 'percentage']) }} is not null
                then {{ json_value('item', ['tax_rates']) }}
            else default_tax_rates
        end as tax_rates,
        {{ json_value('item', ['discounts']) }} as discounts
    from items

)

select * from final
