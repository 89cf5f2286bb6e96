{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'by': 'customers_of_coupons',
        'through': [
            'int_revenue__stripe_discount_mentions',
            'int_revenue__stripe_coupons',
            'int_revenue__stripe_invoice_lines',
            'int_revenue__stripe_items',
        ],
    }},
) }}

-- What events say of discounts on a subscription, on its items and on a customer, and of a discount by itself: what
-- each takes off, and from when until when. A coupon that nobody shows takes off what an invoice took off for it; where
-- none does, everything, and `every_coupon_can_be_read` names it.
with mentions as (

    select
        *,
        entity_key || '|' || named_discount as named_key
    from {{ ref('int_revenue__stripe_discount_mentions') }}
    where {{ is_affected('entity_key') }}

),

known_coupons as (

    select * from {{ ref('int_revenue__stripe_coupons') }}

),

items as (

    select * from {{ ref('int_revenue__stripe_items') }}
    where {{ is_affected('entity_key') }}

),

invoice_lines as (

    select * from {{ ref('int_revenue__stripe_invoice_lines') }}
    where
        not is_proration
        and price_source_id is not null
        and amount_source_cents > 0
        and {{ is_affected('entity_key') }}

),

-- Where a discount is shown whole, not put together of what two differ in; one that was taken away says how it ended,
-- which others leave open. Joins below are by one key each: an engine that knows nothing of several columns together
-- takes what they leave for next to nothing, and compares all with all.
ranked as (

    select
        *,
        entity_key || '|' || discount_source_id as discount_key,
        row_number() over (
            partition by entity_key, discount_source_id
            order by precedence asc, told_at desc, event_id desc, item_position desc, discount_position desc
        ) as telling_rank
    from mentions
    where discount_source_id is not null and not is_part

),

best_shown as (

    select
        discount_key,
        discount,
        coupon,
        coupon_source_id
    from ranked
    where telling_rank = 1

),

resolved as (

    select
        mentions.account,
        mentions.event_id,
        mentions.entity_key,
        mentions.item_position,
        mentions.discount_position,
        mentions.told_at,
        mentions.is_part,
        case when mentions.is_object then mentions.discount else best_shown.discount end as discount,
        case when mentions.is_object then mentions.coupon else best_shown.coupon end as coupon,
        case
            when mentions.is_object then mentions.coupon_source_id else best_shown.coupon_source_id
        end as coupon_source_id,
        mentions.named_discount
    from mentions
    left join best_shown on mentions.named_key = best_shown.discount_key
    where mentions.item_position is not null

),

couponed as (

    select
        *,
        coalesce({{ json_text('discount', 'id') }}, named_discount) as shown_discount_id,
        {{ to_timestamp_seconds(json_integer('discount', 'start')) }} as starts_at,
        {{ to_timestamp_seconds(json_integer('discount', 'end')) }} as ends_at
    from resolved

),

sought as (

    select
        *,
        account || '|' || event_id as event_key,
        entity_key || '|' || coalesce(shown_discount_id, coupon_source_id) as discount_key,
        case
            when {{ json_text('coupon', 'duration') }} is null then account || '|' || coupon_source_id
        end as coupon_key
    from couponed

),

told as (

    select
        couponed.account,
        couponed.event_id,
        couponed.entity_key,
        couponed.event_key,
        couponed.discount_key,
        couponed.event_key
        || '|' || cast(couponed.item_position as {{ type_string() }})
        || '|' || cast(couponed.discount_position as {{ type_string() }}) as mention_key,
        couponed.item_position,
        couponed.discount_position,
        couponed.coupon_source_id,
        couponed.starts_at,
        couponed.ends_at,
        coalesce(couponed.shown_discount_id, couponed.coupon_source_id) as discount_source_id,
        case
            when {{ json_text('couponed.coupon', 'duration') }} is not null then couponed.coupon
            else known_coupons.coupon
        end as coupon
    from sought as couponed
    left join known_coupons
        on
            couponed.coupon_key = known_coupons.coupon_key
            and (
                known_coupons.coupon_number = 1
                or coalesce(couponed.starts_at, couponed.told_at) >= known_coupons.made_at
            )
            and (
                known_coupons.next_made_at is null
                or coalesce(couponed.starts_at, couponed.told_at) < known_coupons.next_made_at
            )

),

billed_lines as (

    select
        invoice_lines.entity_key,
        invoice_lines.price_source_id,
        invoice_lines.quantity,
        invoice_lines.currency,
        invoice_lines.amount_source_cents,
        coalesce(
            {{ json_text('entry.value', ['discount', 'id']) }}, {{ json_text('entry.value', 'discount') }}
        ) as discount_source_id,
        {{ json_number('entry.value', 'amount') }} as off_source_cents
    from invoice_lines
    {{ json_array_lateral('invoice_lines.discount_amounts', none, 'entry') }}

),

billed as (

    select
        entity_key || '|' || discount_source_id || '|' || price_source_id
        || '|' || cast(quantity as {{ type_string() }}) || '|' || currency as billed_key,
        max(off_source_cents) as off_source_cents
    from billed_lines
    group by entity_key, discount_source_id, price_source_id, quantity, currency

),

-- of a customer's discount an invoice says the share that it took off
billed_shares as (

    select
        entity_key || '|' || discount_source_id as discount_key,
        100 * sum(off_source_cents) / sum(amount_source_cents) as percent_off
    from billed_lines
    group by entity_key, discount_source_id

),

-- what stands on a whole subscription is billed item by item
listed_items as (

    select
        account || '|' || event_id as event_key,
        item_position,
        '|' || price_source_id || '|' || cast(quantity as {{ type_string() }}) || '|' || currency as price_key
    from items
    where not is_metered

),

unread_items as (

    select
        told.mention_key,
        told.discount_key || listed_items.price_key as billed_key
    from told
    inner join listed_items
        on
            told.event_key = listed_items.event_key
            and (told.item_position = 0 or told.item_position = listed_items.item_position)
    where told.coupon is null

),

billed_items as (

    select
        unread_items.mention_key,
        case
            when count(billed.off_source_cents) = count(*) then sum(billed.off_source_cents)
        end as off_source_cents
    from unread_items
    left join billed on unread_items.billed_key = billed.billed_key
    group by unread_items.mention_key

),

limits as (

    select
        told.mention_key,
        known_coupons.applies_to
    from told
    inner join known_coupons
        on
            told.account || '|' || told.coupon_source_id
            || '|' || cast(coalesce({{ json_integer('told.coupon', 'created') }}, 0) as {{ type_string() }})
            = known_coupons.made_key
    where known_coupons.applies_to is not null

),

final as (

    select
        told.account,
        told.event_id,
        told.item_position,
        told.discount_position,
        told.entity_key,
        told.discount_source_id,
        told.coupon_source_id,
        -- only a repeating discount says when it ends
        case
            when told.coupon is not null then {{ json_text('told.coupon', 'duration') }}
            when told.ends_at is not null then 'repeating'
            else 'forever'
        end as duration,
        {{ json_integer('told.coupon', 'duration_in_months') }} as duration_months,
        case
            when told.coupon is not null then {{ json_number('told.coupon', 'percent_off') }}
            when billed_items.mention_key is null then coalesce(billed_shares.percent_off, 100)
            when billed_items.off_source_cents is null then 100
        end as percent_off,
        case
            when told.coupon is not null then {{ json_number('told.coupon', 'amount_off') }}
            else billed_items.off_source_cents
        end as off_source_cents,
        coalesce(
            told.coupon is not null
            or billed_items.off_source_cents is not null
            or (billed_items.mention_key is null and billed_shares.percent_off is not null),
            false
        ) as is_read,
        told.starts_at,
        told.ends_at,
        limits.applies_to
    from told
    left join billed_items on told.mention_key = billed_items.mention_key
    left join billed_shares on told.discount_key = billed_shares.discount_key
    left join limits on told.mention_key = limits.mention_key

)

select * from final
