-- What an item costs a period before discounts, as its price says; where the price does not, as an invoice billed so
-- many of it for a whole period. Null where neither says: `every_price_can_be_read` names those.
with items as (

    select * from {{ ref('int_revenue__stripe_items') }}

),

lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}
    where is_live and not is_proration and amount_source_cents is not null and price_source_id is not null

),

billed as (

    select
        account,
        price_source_id,
        quantity,
        currency,
        max(amount_source_cents) as amount_source_cents
    from lines
    group by account, price_source_id, quantity, currency

),

tiers as (

    select
        items.account,
        items.event_id,
        items.item_position,
        items.tiers_mode,
        items.quantity,
        {{ json_number('tier.value', 'up_to') }} as up_to,
        coalesce(lag({{ json_number('tier.value', 'up_to') }}) over (
            partition by items.account, items.event_id, items.item_position
            order by tier.position
        ), 0) as above,
        coalesce(
            {{ json_number('tier.value', 'unit_amount') }},
            {{ json_number('tier.value', 'unit_amount_decimal') }},
            0
        ) as unit_source_cents,
        coalesce(
            {{ json_number('tier.value', 'flat_amount') }},
            {{ json_number('tier.value', 'flat_amount_decimal') }},
            0
        ) as flat_source_cents
    from items
    {{ json_array_lateral('items.tiers', none, 'tier') }}

),

tiered as (

    select
        account,
        event_id,
        item_position,
        sum(
            case
                when quantity <= above then 0
                when tiers_mode = 'volume' and quantity > coalesce(up_to, quantity) then 0
                when tiers_mode = 'volume' then quantity * unit_source_cents + flat_source_cents
                else
                    (least(quantity, coalesce(up_to, quantity)) - above) * unit_source_cents
                    + flat_source_cents
            end
        ) as amount_source_cents
    from tiers
    group by account, event_id, item_position

),

-- a price per package of so many units
packaged as (

    select
        account,
        event_id,
        item_position,
        case
            when coalesce(quantity_divisor, 0) <= 0 then quantity
            when quantity_rounding = 'down'
                then floor(cast(quantity as {{ type_numeric() }}) / quantity_divisor)
            else ceil(cast(quantity as {{ type_numeric() }}) / quantity_divisor)
        end as unit_count
    from items

),

inclusive_taxes as (

    select
        items.account,
        items.event_id,
        items.item_position,
        sum({{ json_number('tax.value', 'percentage') }}) as tax_percent
    from items
    {{ json_array_lateral('items.tax_rates', none, 'tax') }}
    where {{ json_boolean('tax.value', 'inclusive') }}
    group by items.account, items.event_id, items.item_position

),

final as (

    select
        items.account,
        items.event_id,
        items.item_position,
        items.plan,
        items.currency,
        items.billing_interval,
        items.interval_count,
        items.quantity,
        items.is_metered,
        coalesce(inclusive_taxes.tax_percent, 0) as inclusive_tax_percent,
        cast(
            coalesce(
                tiered.amount_source_cents,
                items.unit_source_cents * packaged.unit_count,
                billed.amount_source_cents
            ) as {{ type_money() }}
        ) as amount_source_cents
    from items
    inner join packaged
        on
            items.account = packaged.account
            and items.event_id = packaged.event_id
            and items.item_position = packaged.item_position
    left join tiered
        on
            items.account = tiered.account
            and items.event_id = tiered.event_id
            and items.item_position = tiered.item_position
    left join billed
        on
            items.account = billed.account
            and items.price_source_id = billed.price_source_id
            and items.quantity = billed.quantity
            and items.currency = billed.currency
    left join inclusive_taxes
        on
            items.account = inclusive_taxes.account
            and items.event_id = inclusive_taxes.event_id
            and items.item_position = inclusive_taxes.item_position

)

select * from final
