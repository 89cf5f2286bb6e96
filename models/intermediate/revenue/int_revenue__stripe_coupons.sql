{{ config(
    materialized='incremental',
    meta={'affected': {
        'key': ['coupon_key', 'coupon_number'],
        'notes': {'entity_key': 'coupon_key'},
        'within': 'account',
        'whole': true,
    }},
) }}

-- What coupons take off, whoever showed it: a coupon in an event or a list of its own, or on a discount. What one takes
-- off never changes, but an id may be given anew once its coupon was deleted.
with coupon_events as (

    select * from {{ ref('stg_stripe__coupon_events') }}
    where is_live

),

mentions as (

    select * from {{ ref('int_revenue__stripe_discount_mentions') }}
    where is_object and not is_part

),

shown as (

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
    from mentions
    where {{ json_text('coupon', 'duration') }} is not null

),

numbered as (

    select
        account,
        coupon_source_id,
        {{ stripe_key('account', 'coupon_source_id') }} as coupon_key,
        coupon,
        coalesce({{ json_integer('coupon', 'created') }}, 0) as made_at,
        row_number() over (
            partition by account, coupon_source_id, coalesce({{ json_integer('coupon', 'created') }}, 0)
            order by told_at desc, event_id desc, cast(coupon as {{ type_string() }}) desc
        ) as telling_rank,
        -- the products that it is limited to are shown on request alone
        max(case
            when {{ json_text('coupon', ['applies_to', 'products', 0]) }} is not null
                then cast({{ json_value('coupon', ['applies_to', 'products']) }} as {{ type_string() }})
        end) over (
            partition by account, coupon_source_id, coalesce({{ json_integer('coupon', 'created') }}, 0)
        ) as applies_to
    from shown
    where coupon_source_id is not null

),

final as (

    select
        coupon_key,
        row_number() over (partition by account, coupon_source_id order by made_at) as coupon_number,
        account,
        coupon_source_id,
        coupon_key || '|' || cast(made_at as {{ type_string() }}) as made_key,
        coupon,
        applies_to,
        {{ to_timestamp_seconds('made_at') }} as made_at,
        {{ to_timestamp_seconds(
            'lead(made_at) over (partition by account, coupon_source_id order by made_at)'
        ) }} as next_made_at
    from numbered
    where telling_rank = 1

)

select * from final
