{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'by': 'customers_of_billed_prices',
        'through': [
            'int_revenue__stripe_items',
            'int_revenue__stripe_invoice_lines',
            'int_revenue__stripe_billed_prices',
        ],
    }},
) }}

-- What an item costs a period before discounts, as its price says; where the price does not, as an invoice billed so
-- many of it for a whole period. Null where neither says: `every_price_can_be_read` names those.
with items as (

    select * from {{ ref('int_revenue__stripe_items') }}
    where {{ is_affected('entity_key') }}

),

invoice_lines as (

    select
        *,
        max(case
            when
                {{ json_text('tax_amounts', [0]) }} is not null or {{ json_text('taxes', [0]) }} is not null
                then 1
            else 0
        end) over (partition by account, event_id) = 1 as is_taxed_by_line
    from {{ ref('int_revenue__stripe_invoice_lines') }}
    where {{ is_affected('entity_key') }}

),

priced_lines as (

    select
        *,
        account || '|' || event_id || '|' || cast(line_position as {{ type_string() }}) as line_key
    from invoice_lines
    where amount_source_cents is not null and price_source_id is not null

),

billed as (

    select * from {{ ref('int_revenue__stripe_billed_prices') }}

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

-- Where Stripe works out the tax itself, its rate stands on the invoice alone: by line, or, where none of its lines
-- shows any, of the invoice as a whole. None is a rate, too.
line_reductions as (

    select
        priced_lines.line_key,
        {{ json_number('entry.value', 'amount') }} as off_source_cents,
        0 as tax_source_cents
    from priced_lines
    {{ json_array_lateral('priced_lines.discount_amounts', none, 'entry') }}

    union all

    select
        priced_lines.line_key,
        0 as off_source_cents,
        {{ json_number('entry.value', 'amount') }} as tax_source_cents
    from priced_lines
    {{ json_array_lateral('priced_lines.tax_amounts', none, 'entry') }}
    where {{ json_boolean('entry.value', 'inclusive') }}

    union all

    select
        priced_lines.line_key,
        0 as off_source_cents,
        {{ json_number('entry.value', 'amount') }} as tax_source_cents
    from priced_lines
    {{ json_array_lateral('priced_lines.taxes', none, 'entry') }}
    where {{ json_text('entry.value', 'tax_behavior') }} = 'inclusive'

),

invoice_taxes as (

    select
        priced_lines.line_key,
        {{ json_number('entry.value', 'amount') }} as tax_source_cents,
        coalesce({{ json_boolean('entry.value', 'inclusive') }}, false) as is_inclusive
    from priced_lines
    {{ json_array_lateral('priced_lines.invoice_tax_amounts', none, 'entry') }}

    union all

    select
        priced_lines.line_key,
        {{ json_number('entry.value', 'amount') }} as tax_source_cents,
        coalesce({{ json_text('entry.value', 'tax_behavior') }} = 'inclusive', false) as is_inclusive
    from priced_lines
    {{ json_array_lateral('priced_lines.invoice_taxes', none, 'entry') }}

),

line_sums as (

    select
        line_key,
        sum(off_source_cents) as off_source_cents,
        sum(tax_source_cents) as tax_source_cents
    from line_reductions
    group by line_key

),

invoice_sums as (

    select
        line_key,
        sum(tax_source_cents) as tax_source_cents,
        sum(case when is_inclusive then tax_source_cents else 0 end) as inclusive_source_cents
    from invoice_taxes
    group by line_key

),

taxed_lines as (

    select
        priced_lines.account,
        priced_lines.billed_subscription_source_id as subscription_source_id,
        priced_lines.price_source_id,
        priced_lines.period_started_at as told_at,
        case
            when priced_lines.is_taxed_by_line
                then 100 * {{ rate(
                    'coalesce(line_sums.tax_source_cents, 0)',
                    'priced_lines.amount_source_cents - coalesce(line_sums.off_source_cents, 0)'
                    ~ ' - coalesce(line_sums.tax_source_cents, 0)'
                ) }}
            else 100 * {{ rate(
                'coalesce(invoice_sums.inclusive_source_cents, 0)',
                'priced_lines.invoice_total_source_cents - coalesce(invoice_sums.tax_source_cents, 0)'
            ) }}
        end as tax_percent
    from priced_lines
    left join line_sums on priced_lines.line_key = line_sums.line_key
    left join invoice_sums on priced_lines.line_key = invoice_sums.line_key
    where priced_lines.amount_source_cents > 0

),

-- an invoice comes more than once, before its taxes are worked out and after
billed_rates as (

    select
        account,
        subscription_source_id,
        price_source_id,
        told_at,
        max(tax_percent) as tax_percent
    from taxed_lines
    where tax_percent >= 0
    group by account, subscription_source_id, price_source_id, told_at

),

-- each version has the newest rate that its subscription was billed for that price, the first one before any bill;
-- joins are by one key each, lest an engine take those of several columns for empty
rated as (

    select
        account,
        subscription_source_id,
        price_source_id,
        told_at,
        0 as is_item,
        null as item_key,
        tax_percent
    from billed_rates

    union all

    select
        account,
        subscription_source_id,
        price_source_id,
        told_at,
        1 as is_item,
        account || '|' || event_id || '|' || cast(item_position as {{ type_string() }}) as item_key,
        cast(null as {{ type_numeric() }}) as tax_percent
    from items

),

numbered_rates as (

    select
        *,
        greatest(count(tax_percent) over (
            partition by account, subscription_source_id, price_source_id
            order by told_at, is_item, tax_percent, item_key
            rows between unbounded preceding and current row
        ), 1) as rate_number
    from rated

),

billed_taxes as (

    select
        item_key,
        max(tax_percent) over (
            partition by account, subscription_source_id, price_source_id, rate_number
        ) as tax_percent
    from numbered_rates

),

final as (

    select
        items.account,
        items.event_id,
        items.item_position,
        items.entity_key,
        items.plan,
        items.currency,
        items.billing_interval,
        items.interval_count,
        items.quantity,
        items.is_metered,
        cast(
            coalesce(inclusive_taxes.tax_percent, billed_taxes.tax_percent, 0) as {{ type_money() }}
        ) as inclusive_tax_percent,
        cast(
            coalesce(
                tiered.amount_source_cents,
                items.unit_source_cents * packaged.unit_count,
                billed.amount_source_cents
            ) as {{ type_money() }}
        ) as amount_source_cents,
        items.product_source_id
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
        on {{ billed_price_key('items.price_key', 'items.quantity', 'items.currency') }} = billed.billed_key
    left join inclusive_taxes
        on
            items.account = inclusive_taxes.account
            and items.event_id = inclusive_taxes.event_id
            and items.item_position = inclusive_taxes.item_position
    left join billed_taxes
        on
            billed_taxes.item_key
            = items.account || '|' || items.event_id || '|' || cast(items.item_position as {{ type_string() }})

)

select * from final
