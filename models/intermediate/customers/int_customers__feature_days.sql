-- Which features of its product a tenant used by day, split by the day by whose end it was known.
{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'event_date'],
        'days': 'utc',
        'near': 'date_key',
        'through': {'loads': none, 'int_core__tenant_timezones': 'int_core__tenant_days'},
        'notes': {'local_day': 'date_key'},
        'vars': ['event_details'],
    }},
) }}

-- the days that another time zone changes: depends_on: {{ ref('int_core__tenant_days') }}
with source_events as (

    select * from {{ ref('stg_events__events') }} as loaded
    where
        (user_id is not null or anonymous_id is not null)
        and {{ is_affected('tenant_id', 'event_date') }}
        and {{ is_open_day('loaded') }}

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

feature_events as (

    select * from {{ ref('engagement_feature_events') }}

),

events as (

    select
        product,
        tenant_id,
        event_name,
        {{ event_detail('event_name', 'properties') }} as event_detail,
        event_date,
        occurred_at,
        received_at
    from source_events

),

kinds as (

    {{ kinds_of_actions('events', 'feature_events', ['feature_name']) }}

),

dated as (

    select
        events.product,
        events.tenant_id,
        kinds.feature_name,
        events.event_date,
        {{ local_date('events.occurred_at', 'tenants.timezone') }} as date_key,
        -- what arrives as a day ends is known by its end
        {{ local_date(add_interval('events.received_at', -1, 'microsecond'), 'tenants.timezone') }} as received_date
    from events
    inner join kinds
        on
            events.product = kinds.product
            and events.event_name = kinds.event_name
            and events.event_detail = kinds.event_detail
    inner join tenants on events.tenant_id = tenants.tenant_id

),

open_days as (

    select
        product,
        tenant_id,

        feature_name,

        event_date,
        date_key,
        min(greatest(received_date, date_key)) as known_date
    from dated
    group by product, tenant_id, feature_name, event_date, date_key

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'feature_name', 'event_date', 'date_key', 'known_date',
    ]) }}

)

select * from final
