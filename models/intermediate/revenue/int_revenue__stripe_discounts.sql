-- Discounts stand on the subscription (`discount`, old, or `discounts`) and on single items; each is an
-- object, or an id whose object came in an event of its own; its coupon is on it (old) or below `source`
-- (new).
with versions as (

    select * from {{ ref('int_revenue__stripe_versions') }}

),

items as (

    select * from {{ ref('int_revenue__stripe_items') }}

),

discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}
    where is_live and event_type <> 'customer.discount.deleted'

),

known_discounts as (

    select
        account,
        discount_source_id,
        {{ latest_by('discount', 'created_at') }} as discount
    from discount_events
    group by account, discount_source_id

),

applied as (

    select
        versions.account,
        versions.event_id,
        0 as item_position,
        entry.position as discount_position,
        entry.value as discount
    from versions
    {{ json_array_lateral('versions.discounts', none, 'entry') }}

    union all

    select
        account,
        event_id,
        0 as item_position,
        1 as discount_position,
        discount
    from versions
    where
        {{ json_text('discounts', [0]) }} is null
        and {{ json_text('discount', ['coupon', 'id']) }} is not null

    union all

    select
        items.account,
        items.event_id,
        items.item_position,
        entry.position as discount_position,
        entry.value as discount
    from items
    {{ json_array_lateral('items.discounts', none, 'entry') }}

),

resolved as (

    select
        applied.account,
        applied.event_id,
        applied.item_position,
        applied.discount_position,
        coalesce(known_discounts.discount, applied.discount) as discount
    from applied
    left join known_discounts
        on
            applied.account = known_discounts.account
            and replace(cast(applied.discount as {{ type_string() }}), '"', '')
            = known_discounts.discount_source_id

),

couponed as (

    select
        account,
        event_id,
        item_position,
        discount_position,
        discount,
        case
            when {{ json_text('discount', ['coupon', 'duration']) }} is not null
                then {{ json_value('discount', ['coupon']) }}
            else {{ json_value('discount', ['source', 'coupon']) }}
        end as coupon
    from resolved

),

final as (

    select
        account,
        event_id,
        item_position,
        discount_position,
        coalesce({{ json_text('discount', 'id') }}, {{ json_text('coupon', 'id') }}) as discount_source_id,
        {{ json_text('coupon', 'duration') }} as duration,
        {{ json_integer('coupon', 'duration_in_months') }} as duration_months,
        {{ json_number('coupon', 'percent_off') }} as percent_off,
        {{ json_number('coupon', 'amount_off') }} as off_source_cents,
        {{ to_timestamp_seconds(json_integer('discount', 'start')) }} as starts_at,
        {{ to_timestamp_seconds(json_integer('discount', 'end')) }} as ends_at
    from couponed

)

select * from final
