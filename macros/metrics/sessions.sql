{#- Affected keys of fact_sessions. A session hangs together over midnight and over any number of days, so the days on
    which events changed are not enough: every session that reaches into them goes, its other events are read again. -#}

{#- Each session (tenant, session, is_derived) that goes, with the UTC days that it spans; and, without a session, the
    days on which events changed. Derived sessions go when they reach, or come within the gap of, such a day; given
    sessions when they do or have an event on one (all rows of the session id). -#}
{% macro sessions_that_reach(changes) -%}
    {%- set gap = var('session_gap_minutes') -%}
    {%- set changed -%}
        select tenant_id, utc_day as day from ({{ changes }}) as changed
        where utc_day is not null
        union {# what sessions themselves say of a day is the tenant's, which lies in up to three of UTC -#}
        select changed.tenant_id, {{ add_days('changed.local_day', 'shifts.days') }} as day
        from ({{ changes }}) as changed
        cross join ({{ whole_numbers(-1, 1) }}) as shifts
        where changed.utc_day is null and changed.local_day is not null
    {%- endset -%}
    {%- set days = make_scratch_table('changed_days', changed) -%}
    {%- set listed = staged_days(days)[0] -%}
    with reached as (
        -- a short session reaches a day with its first or its last, widened, instant, and ends near it
        select distinct
            known.tenant_id,
            known.session_id,
            known.is_derived
        from (select distinct day from {{ days }}) as dates
        inner join {{ this }} as known
            on
                not known.is_long
                and known.ended_at >= {{ add_interval(day_start('dates.day', "'UTC'"), -gap, 'minute') }}
                and known.ended_at < {{ add_interval(day_start(add_days('dates.day', 2), "'UTC'"), -gap, 'minute') }}
        inner join {{ days }} as days on known.tenant_id = days.tenant_id and dates.day = days.day
        where
            {{ local_date(add_interval('known.started_at', -gap, 'minute'), "'UTC'") }} = days.day
            or {{ local_date(add_interval('known.ended_at', gap, 'minute'), "'UTC'") }} = days.day

        union

        select distinct
            known.tenant_id,
            known.session_id,
            known.is_derived
        from {{ this }} as known
        inner join {{ days }} as days
            on
                known.tenant_id = days.tenant_id
                and known.ended_at >= {{ add_interval(day_start('days.day', "'UTC'"), -gap, 'minute') }}
                and known.started_at < {{ add_interval(day_start(add_days('days.day', 1), "'UTC'"), gap, 'minute') }}
        where known.is_long

        union

        select distinct
            events.tenant_id,
            events.session_id,
            false as is_derived
        from {{ ref('fact_events') }} as events
        where
            events.session_id is not null
            {%- if listed %}
            and {{ days_condition('events.date_key', listed, 1) }}
            {%- endif %}
            and (events.tenant_id, events.event_date) in (select tenant_id, day from {{ days }})
    ),

    sessions as (
        select
            known.tenant_id,
            known.session_id,
            known.is_derived,
            {{ local_date('known.started_at', "'UTC'") }} as first_day,
            {{ local_date('known.ended_at', "'UTC'") }} as last_day
        from {{ this }} as known
        inner join reached
            on
                known.tenant_id = reached.tenant_id
                and known.session_id = reached.session_id
                and known.is_derived = reached.is_derived
    )

    select
        tenant_id,
        cast(null as {{ type_string() }}) as session_id,
        cast(null as boolean) as is_derived,
        day
    from {{ days }}

    union

    select
        sessions.tenant_id,
        sessions.session_id,
        sessions.is_derived,
        dates.date_key as day
    from sessions
    inner join {{ ref('dim_date') }} as dates
        on sessions.first_day <= dates.date_key and sessions.last_day >= dates.date_key
{%- endmacro %}

{#- Whether a session, widened by the gap, is a day long or longer, so that it may reach a day on which it neither
    starts nor ends. -#}
{% macro is_long_session(started_at, ended_at) -%}
    {{ ended_at }} >= {{ add_interval(started_at, 1440 - 2 * var('session_gap_minutes'), 'minute') }}
{%- endmacro %}

{#- Whether the table has sessions of days of which rows of fact_events are gone. -#}
{% macro keeps_sessions() -%}
    {{ return(closed_until('fact_days') and load_relation(this)) }}
{%- endmacro %}

{#- Condition on rows of the table: sessions that touch such a day, and all rows of a session id of which one does,
    since events under it are in no session anew (the CTE kept_sessions has these ids). -#}
{% macro is_kept_session(rows) -%}
    (
            {{ touches_closed_day(
                rows ~ '.product', rows ~ '.tenant_id', rows ~ '.started_at', rows ~ '.ended_at', 'fact_days'
            ) }}
            or not {{ rows }}.is_derived
            and ({{ rows }}.product, {{ rows }}.tenant_id, {{ rows }}.session_id) in (
                select
                    kept.product,
                    kept.tenant_id,
                    kept.session_id
                from kept_sessions as kept
                where not kept.is_derived
            )
        )
{%- endmacro %}

{#- Condition on events as they are read: none of these sessions (the CTE kept_sessions) has counted them. -#}
{% macro is_in_no_kept_session(rows) -%}
    {%- if keeps_sessions() -%}
        not exists (
            select 1
            from kept_sessions as kept
            where
                kept.is_derived
                and {{ rows }}.session_id is null
                and {{ rows }}.product = kept.product
                and {{ rows }}.tenant_id = kept.tenant_id
                and {{ rows }}.user_id = kept.user_id
                and {{ rows }}.occurred_at between kept.started_at and kept.ended_at
        )
        and not exists (
            select 1
            from kept_sessions as kept
            where
                not kept.is_derived
                and {{ rows }}.product = kept.product
                and {{ rows }}.tenant_id = kept.tenant_id
                and {{ rows }}.session_id = kept.session_id
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
