{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'through': ['loads', 'int_revenue__stripe_versions', 'int_revenue__stripe_items'],
    }},
) }}

-- Where events name a discount: on a subscription (`discount`, old, or `discounts`), on its items, on a customer, on an
-- invoice, and by itself. Each is an object, or an id whose object came elsewhere; its coupon is on it (old) or below
-- `source` (new), as an object or as an id.
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}
    where {{ is_affected('entity_key') }}

),

items as (

    select * from {{ ref('int_revenue__stripe_items') }}
    where {{ is_affected('entity_key') }}

),

discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}
    where is_live and {{ is_affected('entity_key') }}

),

named as (

    select
        versions.account,
        versions.event_id,
        versions.entity_key,
        0 as item_position,
        entry.position as discount_position,
        entry.value as discount,
        versions.created_at as told_at,
        false as is_part,
        2 as precedence
    from versions
    {{ json_array_lateral('versions.discounts', none, 'entry') }}

    union all

    select
        account,
        event_id,
        entity_key,
        0 as item_position,
        1 as discount_position,
        discount,
        created_at as told_at,
        coalesce(is_discount_in_part, false) as is_part,
        2 as precedence
    from versions
    where {{ json_text('discounts', [0]) }} is null

    union all

    select
        items.account,
        items.event_id,
        items.entity_key,
        items.item_position,
        entry.position as discount_position,
        entry.value as discount,
        items.told_at,
        false as is_part,
        2 as precedence
    from items
    {{ json_array_lateral('items.discounts', none, 'entry') }}

    union all

    select
        account,
        event_id,
        entity_key,
        0 as item_position,
        1 as discount_position,
        discount,
        created_at as told_at,
        false as is_part,
        2 as precedence
    from customer_events

    union all

    select
        account,
        event_id,
        entity_key,
        0 as item_position,
        1 as discount_position,
        discount,
        created_at as told_at,
        false as is_part,
        case when event_type = 'customer.discount.deleted' then 3 else 1 end as precedence
    from discount_events

    union all

    select
        account,
        event_id,
        entity_key,
        null as item_position,
        0 as discount_position,
        discount,
        created_at as told_at,
        false as is_part,
        2 as precedence
    from invoice_events

    union all

    select
        invoice_events.account,
        invoice_events.event_id,
        invoice_events.entity_key,
        null as item_position,
        entry.position as discount_position,
        entry.value as discount,
        invoice_events.created_at as told_at,
        false as is_part,
        2 as precedence
    from invoice_events
    {{ json_array_lateral('invoice_events.discounts', none, 'entry') }}

),

identified as (

    select
        *,
        coalesce(
            {{ json_text('discount', 'coupon') }}, {{ json_text('discount', ['source', 'coupon']) }}
        ) is not null as is_object,
        {{ json_text('discount', 'id') }} as discount_source_id,
        coalesce(
            {{ json_text('discount', ['coupon', 'id']) }},
            {{ json_text('discount', ['source', 'coupon', 'id']) }},
            {{ json_text('discount', 'coupon') }},
            {{ json_text('discount', ['source', 'coupon']) }}
        ) as coupon_source_id,
        coalesce(
            {{ json_text('discount', 'id') }},
            nullif(replace(cast(discount as {{ type_string() }}), '"', ''), 'null')
        ) as named_discount
    from named

),

final as (

    select
        account,
        event_id,
        item_position,
        discount_position,
        entity_key,
        discount_source_id,
        coupon_source_id,
        {{ stripe_key('account', 'coupon_source_id') }} as coupon_key,
        discount,
        case
            when {{ json_text('discount', 'coupon') }} is not null then {{ json_value('discount', 'coupon') }}
            else {{ json_value('discount', ['source', 'coupon']) }}
        end as coupon,
        is_object,
        case when not is_object then named_discount end as named_discount,
        is_part,
        precedence,
        told_at
    from identified
    where is_object or named_discount is not null

)

select * from final
