{#- Affected keys of fact_sessions. A session hangs together over midnight and over any number of days, so the days that a
    load touched are not enough: every session that reaches into them goes, and its other events are read again. -#}

{#- columns: tenant, session, is_derived, started_at, ended_at. Derived sessions that reach, or come within the gap of, an
    affected day; given sessions that do or that have an event on one (all rows of the session id). -#}
{% macro affected_sessions(columns) -%}
    {%- set pairs = affected_tenant_day_pairs() -%}
    {%- if not pairs -%}
        false
    {%- else -%}
        (({{ columns[2] }} and {{ _reaches_days(columns[0], columns[3], columns[4], pairs) }})
        or (not {{ columns[2] }} and ({{ columns[0] }}, {{ columns[1] }}) in (
            select known.tenant_id, known.session_id
            from {{ this }} as known
            where not known.is_derived and {{ _reaches_days('known.tenant_id', 'known.started_at', 'known.ended_at', pairs) }}
            union
            select touched.tenant_id, touched.session_id
            from {{ _ancestor_relation('fact_events') }} as touched
            where
                touched.session_id is not null
                and {{ pairs_condition(['touched.tenant_id', 'touched.date_key'], pairs, widen=1) }}
                and {{ pairs_condition(['touched.tenant_id', 'touched.event_date'], pairs) }}
        )))
    {%- endif -%}
{%- endmacro %}

{#- Events on the affected days, by the alias of fact_events. -#}
{% macro on_affected_days(events) -%}
    {%- set pairs = affected_tenant_day_pairs() -%}
    {%- if pairs -%}
        {{ pairs_condition([events ~ '.tenant_id', events ~ '.date_key'], pairs, widen=1) }}
        and {{ pairs_condition([events ~ '.tenant_id', events ~ '.event_date'], pairs) }}
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{#- Events on the other days that affected sessions span. -#}
{% macro on_spanned_days(events) -%}
    {%- set pairs = affected_tenant_day_pairs() -%}
    {%- set spanned = [] -%}
    {%- if pairs -%}
        {%- set query -%}
            select sessions.tenant_id, dates.date_key as event_date
            from {{ this }} as sessions
            inner join {{ _ancestor_relation('dim_date') }} as dates
                on
                    dates.date_key >= {{ local_date('sessions.started_at', "'UTC'") }}
                    and dates.date_key <= {{ local_date('sessions.ended_at', "'UTC'") }}
            where {{ affected_sessions(['sessions.tenant_id', 'sessions.session_id', 'sessions.is_derived', 'sessions.started_at', 'sessions.ended_at']) }}
        {%- endset -%}
        {%- set spanned = _query_pairs(query) | reject('in', pairs) | list -%}
    {%- endif -%}
    {%- if spanned -%}
        {{ pairs_condition([events ~ '.tenant_id', events ~ '.date_key'], spanned, widen=1) }}
        and {{ pairs_condition([events ~ '.tenant_id', events ~ '.event_date'], spanned) }}
        and not {{ pairs_condition([events ~ '.tenant_id', events ~ '.event_date'], pairs) }}
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{#- Whether the span of a session, widened by the gap, meets an affected day of its tenant. A span of one or two days is
    tested exactly; a longer one counts when it meets the time from the first affected day to the last. -#}
{% macro _reaches_days(tenant, started_at, ended_at, pairs) -%}
    {%- set gap = var('session_gap_minutes') -%}
    {%- set days = pairs | map(attribute=1) | list -%}
    ({{ ended_at }} >= {{ add_interval(timestamp_literal(days | min ~ ' 00:00:00+00'), -gap, 'minute') }}
    and {{ started_at }} <= {{ add_interval(timestamp_literal(_shifted(days | max, 1) ~ ' 00:00:00+00'), gap, 'minute') }}
    and (
        {{ pairs_condition([tenant, local_date(add_interval(started_at, -gap, 'minute'), "'UTC'")], pairs) }}
        or {{ pairs_condition([tenant, local_date(add_interval(ended_at, gap, 'minute'), "'UTC'")], pairs) }}
        or {{ ended_at }} >= {{ add_interval(started_at, 1440 - 2 * gap, 'minute') }}
    ))
{%- endmacro %}
