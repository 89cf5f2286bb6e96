{#- Days of UTC of which raw events are gone (ops.closed_days; docs/governance.md). A model that reads events leaves
    them out of what it reads, and keeps the rows that its table has of them: in a full refresh too, and whatever else
    affects them. So its rows of a day are those of the last build before the day was closed. What reads fact_events
    (`closed_with: facts`) does the same on days of which rows of that table are gone. -#}

{#- Which days are closed to a model: their column in ops.closed_days, the day of the events that it reads, and the
    product as an expression over `rows`, unless all of them are one's (`product`). -#}
{% macro closing(rows) -%}
    {%- set stated = affected() -%}
    {%- set is_local = stated.days == 'local' -%}
    {%- set of_facts = 'fact_local_days' if is_local else 'fact_days' -%}
    {{ return({
        'days': of_facts if stated.closed_with == 'facts' else 'days',
        'day': 'date_key' if stated.closed_with == 'facts' and is_local else 'event_date',
        'product': "'" ~ stated.product ~ "'" if stated.product else rows ~ '.product',
    }) }}
{%- endmacro %}

{#- Condition on rows of events as they are read: their day is not closed, so that the events of it are whole.
    `rows` is the name under which they are read. -#}
{% macro is_open_day(rows) -%}
    {%- set closing = closing(rows) if knows_closed_days() else {} -%}
    {%- if closing and closed_until(closing.days) -%}
        not {{ is_closed_day(closing.product, rows ~ '.tenant_id', rows ~ '.' ~ closing.day, closing.days) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- The last step of such a model: what its CTE `open_days` has, and what its table has of closed days. The
    columns are named, so that a table of before a column came or went is kept too. `anew` are columns of closed days
    that follow something else than events, with their expressions over the table (`held`) and what `joins` brings;
    `is_kept` is the condition on rows of the table where a row is of more than one day. -#}
{% macro open_and_closed_days(columns, anew={}, joins='', is_kept=none) -%}
    {%- set closing = closing('held') if is_planned() else {} -%}
    {%- set until = closed_until(closing.days) if closing else '' -%}
    select {{ columns | join(', ') }}
    from open_days
    {%- if until -%}
        {%- if cut_as_of() and cut_as_of()[:10] < until -%}
            {{ refuse("cannot speak as of " ~ cut_as_of() ~ ": events until " ~ until
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
        {{ is_kept or is_closed_day(
            closing.product, 'held.tenant_id', 'held.' ~ affected().day, closing.days
        ) }}
        and {{ is_affected(*keys) }}
        {%- else -%}
            {%- do exceptions.warn(model.name ~ ' has no table to keep the days from whose events are gone (until '
                ~ until ~ '): it begins after them. A backup may have them.') -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Only what is built or tested asks: `dbt compile`, the docs and unit tests show a warehouse of open days. -#}
{% macro knows_closed_days() -%}
    {{ return(is_planned() or (execute and model.resource_type == 'test')) }}
{%- endmacro %}

{#- The newest closed day of any tenant, or nothing. Asked once per run. -#}
{% macro closed_until(days='days') -%}
    {%- if not knows_closed_days() -%}{{ return('') }}{%- endif -%}
    {{ return(adapter.dispatch('closed_until', 'tallyhouse')(days)) }}
{%- endmacro %}

{% macro duckdb__closed_until(days) -%}{{ return('') }}{%- endmacro %}
{% macro spark__closed_until(days) -%}{{ return('') }}{%- endmacro %}

{% macro default__closed_until(days) -%}
    {%- set held = graph.get('closed_until', {}) -%}
    {%- if held.get('invocation_id') != invocation_id -%}
        {%- set found = run_query(newest_closed_days(['days', 'fact_days', 'fact_local_days'])) -%}
        {%- set held = dict(found.rows[0], invocation_id=invocation_id) -%}
        {%- do graph.update({'closed_until': held}) -%}
    {%- endif -%}
    {{ return(held[days]) }}
{%- endmacro %}

{#- What is remembered of a model that keeps closed days: its columns of the changes in the log, and of one that keeps
    them without rows of fact_events which days these are, and whose; else nothing. -#}
{% macro history_columns() -%}
    {%- if 'open_and_closed_days(' in model.raw_code -%}
        {%- set remembered = dict(affected().notes) -%}
        {%- if affected().closed_with == 'facts' -%}
            {%- do remembered.update(closed_days=closing('held').days, closed_product=affected().product) -%}
        {%- endif -%}
        {{ return(tojson(remembered)) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
