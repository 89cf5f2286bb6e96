{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}, {'columns': ['ended_at']}],
    pre_hook="{{ forget_logged_days() }}",
    meta={'affected': {
        'by': 'affected_sessions',
        'columns': ['tenant_id', 'session_id', 'is_derived', 'started_at', 'ended_at'],
        'vars': ['session_gap_minutes'],
        'logged': ['tenant_id', 'date_key'],
    }},
) }}

-- the days that a session spans: depends_on: {{ ref('dim_date') }}
{%- set started = epoch_seconds('sessions.started_at') %}
{%- set identity = ["'session'", 'sessions.product', 'sessions.tenant_id', 'sessions.user_id', started] %}

with

tenants as (

    select * from {{ ref('dim_tenant') }}

),

events as (

    select
        events.product,
        events.tenant_id,
        events.user_id,
        events.session_id,
        events.event_id,
        events.event_name,
        events.date_key,
        events.event_date,
        events.occurred_at
    from {{ ref('fact_events') }} as events
    left join {{ ref('engagement_event_roles') }} as event_roles on events.event_name = event_roles.event_name
    where
        (events.session_id is not null or events.user_id is not null)
        and coalesce(event_roles.is_activity, true)

),
{% if is_incremental() %}
replaced_sessions as (

    select * from {{ this }} as sessions
    where {{ is_affected('sessions.tenant_id', 'sessions.session_id', 'sessions.is_derived', 'sessions.started_at', 'sessions.ended_at') }}

),

-- the affected days, and what else belongs to the sessions that are replaced
session_events as (

    select events.*
    from events
    where {{ on_affected_days('events') }}

    union all

    select events.*
    from events
    inner join replaced_sessions
        on
            events.product = replaced_sessions.product
            and events.tenant_id = replaced_sessions.tenant_id
            and events.user_id = replaced_sessions.user_id
            and events.occurred_at between replaced_sessions.started_at and replaced_sessions.ended_at
    where
        replaced_sessions.is_derived
        and events.session_id is null
        and {{ on_spanned_days('events') }}

    union all

    select events.*
    from events
    where
        events.session_id is not null
        and (events.tenant_id, events.session_id) in (
            select
                replaced_sessions.tenant_id,
                replaced_sessions.session_id
            from replaced_sessions
            where not replaced_sessions.is_derived
        )
        and {{ on_spanned_days('events') }}

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

final as (

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
        sessions.is_derived
    from sessions
    inner join tenants on sessions.tenant_id = tenants.tenant_id

)

select * from final
