{#- Days of UTC of which raw events are gone (ops.closed_days; docs/governance.md). A model that reads events leaves
    them out of what it reads, and keeps the rows that its table has of them: in a full refresh too, and whatever else
    affects them. So its rows of a day are those of the last build before the day was closed. -#}

{#- Condition on rows of events as they are read: their day is not closed, so that the raw events of it are whole.
    `rows` is the name under which they are read. -#}
{% macro is_open_day(rows) -%}
    {%- if closed_until() -%}
        not {{ is_closed_day(rows ~ '.product', rows ~ '.tenant_id', rows ~ '.event_date') }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- The last step of such a model: what its CTE `open_days` has, and what its table has of closed days. The
    columns are named, so that a table of before a column came or went is kept too. `anew` are columns of closed days
    that follow something else than events, with their expressions over the table (`held`) and what `joins` brings. -#}
{% macro open_and_closed_days(columns, anew={}, joins='') -%}
    select {{ columns | join(', ') }}
    from open_days
    {%- if is_planned() and closed_until() -%}
        {%- if cut_as_of() and cut_as_of()[:10] < closed_until() -%}
            {{ refuse("cannot speak as of " ~ cut_as_of() ~ ": raw events until " ~ closed_until()
                ~ " are gone by their retention, and with them what was known of those days at an"
                ~ " earlier time. Name a later as_of.") }}
        {%- endif -%}
        {%- set held = load_relation(this) -%}
        {%- if held and held.is_table %}
            {%- set known = column_names(held) %}
            {%- set keys = [] %}
            {%- for name in affected().key -%}{%- do keys.append('held.' ~ name) -%}{%- endfor %}
    union all
    select {% for name in columns -%}
        {{ anew.get(name, 'held.' ~ name if name in known else 'null') }}{{ ', ' if not loop.last }}
    {%- endfor %}
    from {{ held }} as held
    {{ joins }}
    where
        {{ is_closed_day('held.product', 'held.tenant_id', 'held.' ~ affected().day) }}
        and {{ is_affected(*keys) }}
        {%- else -%}
            {%- do exceptions.warn(model.name ~ ' has no table to keep the days from whose raw events are gone (until '
                ~ closed_until() ~ '): it begins after them. A backup may have them.') -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The newest closed day of any tenant, or nothing. Asked once per run. -#}
{% macro closed_until() -%}
    {%- if not (is_planned() or (execute and model.resource_type == 'test')) -%}{{ return('') }}{%- endif -%}
    {{ return(adapter.dispatch('closed_until', 'tallyhouse')()) }}
{%- endmacro %}

{% macro duckdb__closed_until() -%}{{ return('') }}{%- endmacro %}
{% macro spark__closed_until() -%}{{ return('') }}{%- endmacro %}

{% macro default__closed_until() -%}
    {%- set held = graph.get('closed_until', {}) -%}
    {%- if held.get('invocation_id') != invocation_id -%}
        {%- set day = run_query(newest_closed_day()).columns[0].values()[0] -%}
        {%- set held = {'invocation_id': invocation_id, 'day': day} -%}
        {%- do graph.update({'closed_until': held}) -%}
    {%- endif -%}
    {{ return(held.day) }}
{%- endmacro %}

{#- What is remembered of a model that keeps closed days: its columns of the changes in the log; else nothing. -#}
{% macro history_columns() -%}
    {{ return(tojson(affected().notes) if 'open_and_closed_days(' in model.raw_code else none) }}
{%- endmacro %}
