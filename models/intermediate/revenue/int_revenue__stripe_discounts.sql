-- What events say of discounts: of those on a subscription (`discount`, old, or `discounts`), on its items and on a
-- customer, and of a discount by itself. Each is an object, or an id whose object came elsewhere. Its coupon is on it
-- (old) or below `source` (new), as an object or as an id whose object came elsewhere. A coupon that nobody shows takes
-- off what an invoice took off for it; where none does, everything, and `every_coupon_can_be_read` names it.
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}

),

items as (

    select * from {{ ref('int_revenue__stripe_items') }}

),

discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}
    where is_live

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live

),

coupon_events as (

    select * from {{ ref('stg_stripe__coupon_events') }}
    where is_live

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live

),

invoice_lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}
    where is_live and not is_proration and price_source_id is not null and amount_source_cents > 0

),

named as (

    select
        versions.account,
        versions.event_id,
        0 as item_position,
        entry.position as discount_position,
        entry.value as discount,
        versions.created_at as told_at,
        false as is_part,
        false as is_event_of_its_own
    from versions
    {{ json_array_lateral('versions.discounts', none, 'entry') }}

    union all

    select
        account,
        event_id,
        0 as item_position,
        1 as discount_position,
        discount,
        created_at as told_at,
        coalesce(is_discount_in_part, false) as is_part,
        false as is_event_of_its_own
    from versions
    where {{ json_text('discounts', [0]) }} is null

    union all

    select
        items.account,
        items.event_id,
        items.item_position,
        entry.position as discount_position,
        entry.value as discount,
        items.told_at,
        false as is_part,
        false as is_event_of_its_own
    from items
    {{ json_array_lateral('items.discounts', none, 'entry') }}

    union all

    select
        account,
        event_id,
        0 as item_position,
        1 as discount_position,
        discount,
        created_at as told_at,
        false as is_part,
        false as is_event_of_its_own
    from customer_events

    union all

    select
        account,
        event_id,
        0 as item_position,
        1 as discount_position,
        discount,
        created_at as told_at,
        false as is_part,
        true as is_event_of_its_own
    from discount_events

),

identified as (

    select
        *,
        coalesce(
            {{ json_text('discount', 'coupon') }}, {{ json_text('discount', ['source', 'coupon']) }}
        ) is not null as is_object,
        coalesce(
            {{ json_text('discount', 'id') }},
            nullif(replace(cast(discount as {{ type_string() }}), '"', ''), 'null')
        ) as discount_text
    from named

),

mentions as (

    select
        *,
        case when not is_object then account || '|' || discount_text end as named_key
    from identified

),

-- where else a discount is shown whole, not put together of what two differ in; one that was taken away says how it
-- ended, which others leave open
shown as (

    select
        account,
        discount_source_id,
        discount,
        case when event_type = 'customer.discount.deleted' then 3 else 1 end as precedence,
        created_at as told_at,
        event_id
    from discount_events

    union all

    select
        account,
        {{ json_text('discount', 'id') }} as discount_source_id,
        discount,
        2 as precedence,
        told_at,
        event_id
    from mentions
    where is_object and not is_part and not is_event_of_its_own

    union all

    select
        account,
        {{ json_text('discount', 'id') }} as discount_source_id,
        discount,
        2 as precedence,
        created_at as told_at,
        event_id
    from invoice_events

    union all

    select
        invoice_events.account,
        {{ json_text('entry.value', 'id') }} as discount_source_id,
        entry.value as discount,
        2 as precedence,
        invoice_events.created_at as told_at,
        invoice_events.event_id
    from invoice_events
    {{ json_array_lateral('invoice_events.discounts', none, 'entry') }}

),

-- joins below are by one key each: an engine that knows nothing of several columns together takes what they leave for
-- next to nothing, and compares all with all
ranked as (

    select
        *,
        account || '|' || discount_source_id as discount_key,
        row_number() over (
            partition by account, discount_source_id
            order by precedence asc, told_at desc, event_id desc
        ) as telling_rank
    from shown
    where discount_source_id is not null

),

best_shown as (

    select
        discount_key,
        discount
    from ranked
    where telling_rank = 1

),

resolved as (

    select
        mentions.account,
        mentions.event_id,
        mentions.item_position,
        mentions.discount_position,
        mentions.told_at,
        mentions.is_part,
        case when mentions.is_object then mentions.discount else best_shown.discount end as discount,
        case when not mentions.is_object then mentions.discount_text end as named_discount
    from mentions
    left join best_shown on mentions.named_key = best_shown.discount_key
    where mentions.is_object or mentions.discount_text is not null

),

couponed as (

    select
        *,
        coalesce({{ json_text('discount', 'id') }}, named_discount) as shown_discount_id,
        {{ to_timestamp_seconds(json_integer('discount', 'start')) }} as starts_at,
        {{ to_timestamp_seconds(json_integer('discount', 'end')) }} as ends_at,
        case
            when {{ json_text('discount', 'coupon') }} is not null then {{ json_value('discount', 'coupon') }}
            else {{ json_value('discount', ['source', 'coupon']) }}
        end as coupon,
        coalesce(
            {{ json_text('discount', ['coupon', 'id']) }},
            {{ json_text('discount', ['source', 'coupon', 'id']) }},
            {{ json_text('discount', 'coupon') }},
            {{ json_text('discount', ['source', 'coupon']) }}
        ) as coupon_source_id
    from resolved

),

shown_coupons as (

    select
        account,
        coupon_source_id,
        coupon,
        created_at as told_at,
        event_id
    from coupon_events

    union all

    select
        account,
        coupon_source_id,
        coupon,
        told_at,
        event_id
    from couponed
    where not is_part and {{ json_text('coupon', 'duration') }} is not null

    union all

    select
        account,
        coalesce(
            {{ json_text('discount', ['coupon', 'id']) }}, {{ json_text('discount', ['source', 'coupon', 'id']) }}
        ) as coupon_source_id,
        case
            when {{ json_text('discount', ['coupon', 'duration']) }} is not null
                then {{ json_value('discount', 'coupon') }}
            else {{ json_value('discount', ['source', 'coupon']) }}
        end as coupon,
        told_at,
        event_id
    from shown
    where
        coalesce(
            {{ json_text('discount', ['coupon', 'duration']) }},
            {{ json_text('discount', ['source', 'coupon', 'duration']) }}
        ) is not null

),

-- what a coupon takes off never changes, but an id may be given anew once its coupon was deleted
numbered_coupons as (

    select
        account,
        coupon_source_id,
        account || '|' || coupon_source_id as coupon_key,
        coupon,
        coalesce({{ json_integer('coupon', 'created') }}, 0) as made_at,
        row_number() over (
            partition by account, coupon_source_id, coalesce({{ json_integer('coupon', 'created') }}, 0)
            order by told_at desc, event_id desc
        ) as telling_rank,
        -- the products that it is limited to are shown on request alone
        max(case
            when {{ json_text('coupon', ['applies_to', 'products', 0]) }} is not null
                then cast({{ json_value('coupon', ['applies_to', 'products']) }} as {{ type_string() }})
        end) over (
            partition by account, coupon_source_id, coalesce({{ json_integer('coupon', 'created') }}, 0)
        ) as applies_to
    from shown_coupons
    where coupon_source_id is not null

),

known_coupons as (

    select
        coupon_key,
        coupon,
        row_number() over (partition by account, coupon_source_id order by made_at) as coupon_number,
        {{ to_timestamp_seconds('made_at') }} as made_at,
        {{ to_timestamp_seconds(
            'lead(made_at) over (partition by account, coupon_source_id order by made_at)'
        ) }} as next_made_at,
        coupon_key || '|' || cast(made_at as {{ type_string() }}) as made_key,
        applies_to
    from numbered_coupons
    where telling_rank = 1

),

sought as (

    select
        *,
        account || '|' || event_id as event_key,
        account || '|' || coalesce(shown_discount_id, coupon_source_id) as discount_key,
        case
            when {{ json_text('coupon', 'duration') }} is null then account || '|' || coupon_source_id
        end as coupon_key
    from couponed

),

told as (

    select
        couponed.account,
        couponed.event_id,
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
        invoice_lines.account,
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
        account || '|' || discount_source_id || '|' || price_source_id
        || '|' || cast(quantity as {{ type_string() }}) || '|' || currency as billed_key,
        max(off_source_cents) as off_source_cents
    from billed_lines
    group by account, discount_source_id, price_source_id, quantity, currency

),

-- of a customer's discount an invoice says the share that it took off
billed_shares as (

    select
        account || '|' || discount_source_id as discount_key,
        100 * sum(off_source_cents) / sum(amount_source_cents) as percent_off
    from billed_lines
    group by account, discount_source_id

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
