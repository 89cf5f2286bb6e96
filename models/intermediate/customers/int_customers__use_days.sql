-- What a tenant's people did by day, split by the day by whose end it was known, so that late events count from the
-- day they arrived on. Users as the events name them: what is stitched later was not known then. A visit is a given
-- session, or what somebody does in a UTC day without one.
{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'event_date'],
        'days': 'utc',
        'near': 'date_key',
        'through': {'loads': none, 'int_core__tenant_timezones': 'int_core__tenant_days'},
        'notes': {'local_day': 'date_key'},
    }},
) }}

-- the days that another time zone changes: depends_on: {{ ref('int_core__tenant_days') }}
with events as (

    select * from {{ ref('stg_events__events') }} as loaded
    where
        {{ is_affected('tenant_id', 'event_date') }}
        and {{ is_open_day('loaded') }}

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

event_roles as (

    select * from {{ ref('engagement_event_roles') }}

),

friction_events as (

    select * from {{ ref('friction_events') }}

),

read as (

    select
        events.product,
        events.tenant_id,
        events.user_id,
        coalesce(
            events.session_id, cast(events.user_id as {{ type_string() }}), events.anonymous_id
        ) as visit_label,
        events.event_date,
        case when friction_events.event_name is not null then 1 else 0 end as friction_count,
        case when events.event_name = 'roster_generated' then 1 else 0 end as roster_count,
        case when events.event_name = 'roster_manual_override' then 1 else 0 end as override_count,
        {{ local_date('events.occurred_at', 'tenants.timezone') }} as date_key,
        -- what arrives as a day ends is known by its end
        {{ local_date(add_interval('events.received_at', -1, 'microsecond'), 'tenants.timezone') }} as received_date
    from events
    inner join tenants on events.tenant_id = tenants.tenant_id
    left join event_roles on events.event_name = event_roles.event_name
    left join friction_events on events.event_name = friction_events.event_name
    where coalesce(event_roles.is_activity, true)

),

visits as (

    select
        product,
        tenant_id,
        user_id,
        visit_label,
        event_date,
        date_key,
        greatest(received_date, date_key) as known_date,
        count(*) as event_count,
        sum(friction_count) as friction_count,
        sum(roster_count) as roster_count,
        sum(override_count) as override_count
    from read
    group by product, tenant_id, user_id, visit_label, event_date, date_key, greatest(received_date, date_key)

),

-- a visit counts once, as it was first heard of
ranked as (

    select
        *,
        row_number() over (
            partition by product, tenant_id, user_id, visit_label, event_date order by known_date, date_key
        ) as place
    from visits

),

open_days as (

    select
        product,
        tenant_id,
        user_id,

        cast(sum(event_count) as bigint) as event_count,
        {{ count_if('place = 1 and visit_label is not null') }} as visit_count,
        cast(sum(friction_count) as bigint) as friction_count,
        cast(sum(roster_count) as bigint) as roster_count,
        cast(sum(override_count) as bigint) as override_count,

        event_date,
        date_key,
        known_date
    from ranked
    group by product, tenant_id, user_id, event_date, date_key, known_date

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'user_id', 'event_count', 'visit_count', 'friction_count',
        'roster_count', 'override_count', 'event_date', 'date_key', 'known_date',
    ]) }}

)

select * from final
