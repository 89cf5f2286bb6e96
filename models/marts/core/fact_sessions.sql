{{ config(
    materialized='incremental',
    indexes=[
        {'columns': ['date_key', 'tenant_id']},
        {'columns': ['is_long', 'ended_at']},
        {'columns': ['session_id', 'tenant_id']},
    ],
    meta={'affected': {
        'key': ['tenant_id', 'session_id', 'is_derived'],
        'by': 'sessions_that_reach',
        'finds_keys': true,
        'through': 'fact_events',
        'notes': {'local_day': 'date_key'},
        'fixed': ['dim_date'],
        'vars': ['session_gap_minutes'],
        'closed_with': 'facts',
    }},
) }}

-- the days that a session spans: depends_on: {{ ref('dim_date') }}
{%- set started = epoch_seconds('sessions.started_at') %}
{%- set identity = ["'session'", 'sessions.product', 'sessions.tenant_id', 'sessions.user_id', started] %}

with

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

{% if keeps_sessions() -%}
-- of closed days, as they were counted: what they reach of open ones makes no session anew
kept_sessions as (

    select * from {{ this }} as sessions
    where
        {{ is_affected('sessions.tenant_id', 'sessions.session_id', 'sessions.is_derived') }}
        and (
            not sessions.is_derived
            or {{ local_date('sessions.started_at', "'UTC'") }} <> {{ local_date('sessions.ended_at', "'UTC'") }}
        )
        and {{ touches_closed_day(
            'sessions.product', 'sessions.tenant_id', 'sessions.started_at', 'sessions.ended_at', 'fact_days'
        ) }}

),

{% endif -%}
-- while affected sessions are built: the affected days, and the other days that those sessions span
events as (

    select
        events.product,
        events.tenant_id,
        events.user_id,
        events.session_id,
        events.event_id,
        events.event_name,
        events.occurred_at,
        {{ is_affected(
            tenant_id='events.tenant_id', day='events.event_date', only='session_id is null'
        ) }} as is_affected
    from {{ ref('fact_events') }} as events
    left join {{ ref('engagement_event_roles') }} as event_roles on events.event_name = event_roles.event_name
    where
        (events.session_id is not null or events.user_id is not null)
        and coalesce(event_roles.is_activity, true)
        and {{ is_affected(tenant_id='events.tenant_id', day='events.event_date', near='events.date_key') }}
        and {{ is_open_day('events') }}
        and {{ is_in_no_kept_session('events') }}

),
{% if is_incremental() %}
replaced_sessions as (

    select * from {{ this }} as sessions
    where {{ is_affected('sessions.tenant_id', 'sessions.session_id', 'sessions.is_derived') }}

),

-- what belongs to the others lies on affected days alone
spanning_sessions as (

    select * from replaced_sessions
    where
        {{ local_date('started_at', "'UTC'") }} <> {{ local_date('ended_at', "'UTC'") }}
        or not {{ is_affected(
            tenant_id='tenant_id', day=local_date('started_at', "'UTC'"), only='session_id is null'
        ) }}

),

session_events as (

    select events.*
    from events
    where events.is_affected

    union all

    select events.*
    from events
    inner join spanning_sessions
        on
            events.product = spanning_sessions.product
            and events.tenant_id = spanning_sessions.tenant_id
            and events.user_id = spanning_sessions.user_id
            and events.occurred_at between spanning_sessions.started_at and spanning_sessions.ended_at
    where
        not events.is_affected
        and events.session_id is null
        and spanning_sessions.is_derived

    union all

    select events.*
    from events
    where
        not events.is_affected
        and (events.tenant_id, events.session_id) in (
            select
                spanning_sessions.tenant_id,
                spanning_sessions.session_id
            from spanning_sessions
            where not spanning_sessions.is_derived
        )

),
{% else %}
session_events as (

    select * from events

),
{% endif %}
spaced as (

    select
        *,
        lag(occurred_at) over (
            partition by product, tenant_id, user_id
            order by occurred_at, event_id
        ) as previous_at
    from session_events
    where session_id is null

),

labelled as (

    select
        product,
        tenant_id,
        user_id,
        cast(sum(
            case
                when occurred_at <= {{ add_interval('previous_at', var('session_gap_minutes'), 'minute') }}
                    then 0
                else 1
            end
        ) over (
            partition by product, tenant_id, user_id
            order by occurred_at, event_id
            rows between unbounded preceding and current row
        ) as {{ type_string() }}) as session_label,
        true as is_derived,
        event_name,
        occurred_at
    from spaced

    union all

    -- an event without a user belongs to the first known user of its session
    select
        product,
        tenant_id,
        coalesce(user_id, first_value(user_id) over (
            partition by product, tenant_id, session_id
            order by case when user_id is null then 1 else 0 end, occurred_at, event_id
        )) as user_id,
        session_id as session_label,
        false as is_derived,
        event_name,
        occurred_at
    from session_events
    where session_id is not null

),

sessions as (

    select
        product,
        tenant_id,
        user_id,
        session_label,
        is_derived,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as event_count,
        count(distinct {{ minute_start('occurred_at') }}) as active_minutes,
        count(distinct event_name) as feature_count
    from labelled
    group by product, tenant_id, user_id, session_label, is_derived

),

open_days as (

    select
        case
            when sessions.is_derived
                then cast({{ hash_uuid(identity) }} as {{ type_string() }})
            else sessions.session_label
        end as session_id,
        sessions.user_id,
        sessions.tenant_id,
        sessions.product,
        sessions.started_at,
        sessions.ended_at,
        {{ local_date('sessions.started_at', 'tenants.timezone') }} as date_key,
        sessions.event_count,
        sessions.active_minutes,
        sessions.feature_count,
        {{ seconds_between('sessions.started_at', 'sessions.ended_at') }} / 60 as session_minutes,
        sessions.is_derived,
        {{ is_long_session('sessions.started_at', 'sessions.ended_at') }} as is_long
    from sessions
    inner join tenants on sessions.tenant_id = tenants.tenant_id

),

final as (

    {{ open_and_closed_days([
        'session_id', 'user_id', 'tenant_id', 'product', 'started_at', 'ended_at', 'date_key', 'event_count',
        'active_minutes', 'feature_count', 'session_minutes', 'is_derived', 'is_long',
    ], is_kept=is_kept_session('held')) }}

)

select * from final
