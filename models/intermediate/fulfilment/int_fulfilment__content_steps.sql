{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}, {'columns': ['tenant_id', 'entity_key']}],
    meta={'affected': {
        'key': ['tenant_id', 'entity_key'],
        'notes': {'local_day': 'date_key'},
    }},
) }}

with

events as (

    select
        *,
        row_number() over (
            partition by tenant_id, entity_key
            order by
                occurred_at,
                case event_name when 'horoscope_uploaded' then 0 when 'horoscope_published' then 2 else 1 end,
                event_id
        ) as position
    from {{ ref('int_fulfilment__events') }}
    where event_domain = 'content' and {{ is_affected('tenant_id', 'entity_key') }}

),

horoscopes as (

    select
        tenant_id,
        entity_key,
        {{ first_named('zodiac_sign', 'position') }} as zodiac_sign,
        {{ first_named('horoscope_date', 'position') }} as horoscope_date
    from events
    group by tenant_id, entity_key

),

placed as (

    select
        events.*,
        min(
            case when events.event_name in ('horoscope_approved', 'horoscope_rejected') then events.occurred_at end
        ) over (
            partition by events.tenant_id, events.entity_key
            order by events.position rows between 1 following and unbounded following
        ) as next_decision_at,
        min(
            case when events.event_name in ('horoscope_approved', 'horoscope_rejected') then events.date_key end
        ) over (
            partition by events.tenant_id, events.entity_key
            order by events.position rows between 1 following and unbounded following
        ) as next_decision_date
    from events

),

steps as (

    select
        placed.tenant_id,
        placed.entity_key,
        placed.event_id,
        case placed.event_name
            when 'horoscope_uploaded' then 'uploaded'
            when 'horoscope_approved' then 'approved'
            when 'horoscope_rejected' then 'rejected'
            when 'horoscope_published' then 'published'
        end as step,
        coalesce(placed.zodiac_sign, horoscopes.zodiac_sign) as zodiac_sign,
        cast(null as {{ type_numeric() }}) as seconds,
        case
            when placed.event_name = 'horoscope_published'
                then coalesce(placed.horoscope_date, horoscopes.horoscope_date, placed.date_key)
            else placed.date_key
        end as date_key,
        placed.occurred_at
    from placed
    inner join horoscopes
        on placed.tenant_id = horoscopes.tenant_id and placed.entity_key = horoscopes.entity_key

    union all

    select
        tenant_id,
        entity_key,
        event_id,
        'judged' as step,
        zodiac_sign,
        {{ seconds_between('occurred_at', 'next_decision_at') }} as seconds,
        next_decision_date as date_key,
        occurred_at
    from placed
    where event_name = 'horoscope_uploaded' and next_decision_at is not null

),

final as (

    select * from steps
    where step is not null

)

select * from final
