{#- Affected keys of fact_sessions. A session hangs together over midnight and over any number of days, so the days that a
    load touched are not enough: every session that reaches into them goes, and its other events are read again. -#}

{#- columns: tenant, session, is_derived. Derived sessions that reach, or come within the gap of, an affected day; given
    sessions that do or that have an event on one (all rows of the session id). One list of keys rather than conditions
    joined by or: only the rows of those keys are read. -#}
{% macro affected_sessions(columns) -%}
    {%- set pairs = affected_tenant_day_pairs() -%}
    {%- if not pairs -%}
        false
    {%- else -%}
        ({{ columns | join(', ') }}) in (
            select known.tenant_id, known.session_id, known.is_derived
            from {{ this }} as known
            where {{ _reaches_days('known', pairs) }}
            union
            select touched.tenant_id, touched.session_id, false as is_derived
            from {{ _ancestor_relation('fact_events') }} as touched
            where
                touched.session_id is not null
                and {{ pairs_condition(['touched.tenant_id', 'touched.date_key'], pairs, widen=1) }}
                and {{ pairs_condition(['touched.tenant_id', 'touched.event_date'], pairs) }}
        )
    {%- endif -%}
{%- endmacro %}

{#- Whether an event (tenant, UTC date) lies on an affected day. -#}
{% macro is_on_affected_day(tenant, event_date) -%}
    {%- if is_incremental() -%}
        {{ pairs_condition([tenant, event_date], affected_tenant_day_pairs()) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Whether an event (tenant, UTC date, local date) lies on an affected day or on another day that affected sessions span. -#}
{% macro is_on_session_day(tenant, event_date, date_key) -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {%- set pairs = affected_tenant_day_pairs() -%}
        {%- if pairs -%}
            {%- set query -%}
                with sessions as (
                    select tenant_id, started_at, ended_at, is_long from {{ this }}
                    where {{ affected_sessions(['tenant_id', 'session_id', 'is_derived']) }}
                )
                select tenant_id, {{ local_date('started_at', "'UTC'") }} as event_date from sessions
                union
                select tenant_id, {{ local_date('ended_at', "'UTC'") }} as event_date from sessions
                union
                select sessions.tenant_id, dates.date_key as event_date
                from sessions
                inner join {{ _ancestor_relation('dim_date') }} as dates
                    on
                        dates.date_key >= {{ local_date('sessions.started_at', "'UTC'") }}
                        and dates.date_key <= {{ local_date('sessions.ended_at', "'UTC'") }}
                where sessions.is_long
            {%- endset -%}
            {%- do pairs.extend(_query_pairs(query)) -%}
        {%- endif -%}
        {%- set pairs = pairs | unique | list -%}
        {{ pairs_condition([tenant, date_key], pairs, widen=1) }}
        and {{ pairs_condition([tenant, event_date], pairs) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a session, widened by the gap, meets an affected day of its tenant. A short one does with its first or its last
    day, and ends near one; a long one counts when it meets the time from the first affected day to the last. -#}
{% macro _reaches_days(sessions, pairs) -%}
    {%- set gap = var('session_gap_minutes') -%}
    {%- set days = pairs | map(attribute=1) | unique | sort | list -%}
    ((
        not {{ sessions }}.is_long
        and (
            {%- for first, last in _runs_of_days(days) %}
            {{ sessions }}.ended_at between {{ add_interval(_midnight(first), -gap, 'minute') }}
                and {{ add_interval(_midnight(_shifted(last, 2)), -gap, 'minute') }}
            {%- if not loop.last %} or{% endif -%}
            {%- endfor %}
        )
        and (
            {{ pairs_condition([sessions ~ '.tenant_id', local_date(add_interval(sessions ~ '.started_at', -gap, 'minute'), "'UTC'")], pairs) }}
            or {{ pairs_condition([sessions ~ '.tenant_id', local_date(add_interval(sessions ~ '.ended_at', gap, 'minute'), "'UTC'")], pairs) }}
        )
    ) or (
        {{ sessions }}.is_long
        and {{ sessions }}.ended_at >= {{ add_interval(_midnight(days | first), -gap, 'minute') }}
        and {{ sessions }}.started_at <= {{ add_interval(_midnight(_shifted(days | last, 1)), gap, 'minute') }}
    ))
{%- endmacro %}

{#- Whether a session, widened by the gap, is a day long or longer, so that it may reach a day on which it neither starts
    nor ends. -#}
{% macro is_long_session(started_at, ended_at) -%}
    {{ ended_at }} >= {{ add_interval(started_at, 1440 - 2 * var('session_gap_minutes'), 'minute') }}
{%- endmacro %}

{% macro _midnight(day) -%}{{ timestamp_literal(day ~ ' 00:00:00+00') }}{%- endmacro %}

{#- Sorted days as (first, last) of each run without a gap. -#}
{% macro _runs_of_days(days) -%}
    {%- set runs = [] -%}
    {%- for day in days -%}
        {%- if runs and runs[-1][1] == _shifted(day, -1) -%}
            {%- do runs.append((runs.pop()[0], day)) -%}
        {%- else -%}
            {%- do runs.append((day, day)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(runs) }}
{%- endmacro %}
