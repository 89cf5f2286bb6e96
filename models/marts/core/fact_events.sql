{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'event_date'],
        'days': 'utc',
        'near': 'date_key',
        'through': {
            'loads': none,
            'int_core__tenant_timezones': 'int_core__tenant_days',
            'int_core__user_aliases': 'int_core__anonymous_days',
        },
        'notes': {'local_day': 'date_key'},
    }},
) }}

-- the days that another time zone or another alias changes: depends_on: {{ ref('int_core__tenant_days') }}
-- depends_on: {{ ref('int_core__anonymous_days') }}
with events as (

    select * from {{ ref('stg_events__events') }}

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

aliases as (

    select * from {{ ref('int_core__user_aliases') }}

),

open_days as (

    select
        events.event_id,
        events.tenant_id,
        -- whom the event names, else whom the anonymous id became, else the visitor stands for a user
        coalesce(
            events.user_id,
            aliases.user_id,
            {{ entity_uuid('events.product', 'anonymous', 'events.anonymous_id', true) }}
        ) as user_id,
        events.session_id,

        events.product,
        events.event_name,
        events.event_domain,
        events.country_code,
        events.device_type,
        events.browser,
        events.properties,

        events.page_load_time_ms,

        coalesce(events.user_id, aliases.user_id) is null as is_anonymous,
        events.is_time_corrected,

        {{ local_date('events.occurred_at', 'tenants.timezone') }} as date_key,
        events.event_date,
        events.occurred_at,
        events.received_at
    from events
    inner join tenants on events.tenant_id = tenants.tenant_id
    left join aliases
        on
            events.product = aliases.product
            and events.tenant_id = aliases.tenant_id
            and events.anonymous_id = aliases.anonymous_id
    where
        {{ is_affected('events.tenant_id', 'events.event_date') }}
        and {{ is_open_day('events') }}

),

final as (

    {{ open_and_closed_days([
        'event_id', 'tenant_id', 'user_id', 'session_id', 'product', 'event_name', 'event_domain',
        'country_code', 'device_type', 'browser', 'properties', 'page_load_time_ms', 'is_anonymous',
        'is_time_corrected', 'date_key', 'event_date', 'occurred_at', 'received_at',
    ], anew={
        'user_id': 'coalesce(aliases.user_id, held.user_id)',
        'is_anonymous': 'held.is_anonymous and aliases.user_id is null',
        'date_key': local_date('held.occurred_at', 'tenants.timezone'),
    }, joins='
        inner join tenants on held.tenant_id = tenants.tenant_id
        left join aliases
            on
                held.is_anonymous
                and held.product = aliases.product
                and held.tenant_id = aliases.tenant_id
                and held.user_id = ' ~ entity_uuid('aliases.product', 'anonymous', 'aliases.anonymous_id', true)
    ) }}

)

select * from final
