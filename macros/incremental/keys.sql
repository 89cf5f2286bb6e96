{#- What a model says of its key (`meta: affected`), and the conditions that follow from it.

    Changes of rows are told apart by tenant, user, anonymous id, UTC day and local day: the columns of ops.replaced_keys.
    What a model's changes say of these are its notes. -#}

{#- The statement of a model, completed. `day` is the key's column that is a day, `through` a dictionary of what changes
    its keys: name → the model in which the keys of a change are looked up, or none. -#}
{% macro affected(node=none) -%}
    {%- set node = node or model -%}
    {%- set said = node.config.get('meta', {}).get('affected', {}) -%}
    {%- set key = said.get('key', []) -%}
    {%- set day = key | last if said.get('days') else none -%}
    {%- set notes = {} -%}
    {%- for column in key if column in ('tenant_id', 'user_id', 'anonymous_id') or column == day -%}
        {%- do notes.update({said.days ~ '_day' if column == day else column: column}) -%}
    {%- endfor -%}
    {%- do notes.update(said.get('notes', {})) -%}
    {%- set grain = said.get('grain', 'day') -%}
    {%- set through = said.get('through') -%}
    {%- if through is none -%}
        {%- set through = incremental_refs(node) | map(attribute='name') | list -%}
    {%- elif through is string -%}
        {%- set through = [through] -%}
    {%- endif -%}
    {%- set sources = {} -%}
    {%- for name in through -%}
        {%- do sources.update({name: through[name] if through is mapping else none}) -%}
    {%- endfor -%}
    {{ return({
        'key': key,
        'day': day,
        'days': said.get('days'),
        'grains': [grain] if grain is string else grain,
        'reach': said.get('reach', 0),
        'through': sources,
        'notes': notes,
        'unnoted': said.get('unnoted', []),
        'by': said.get('by'),
        'near': said.get('near'),
        'whole': said.get('whole', false),
        'finds_keys': said.get('finds_keys', false),
        'fixed': said.get('fixed', []),
        'vars': said.get('vars', []),
    }) }}
{%- endmacro %}

{#- The incremental models that a model reads. -#}
{% macro incremental_refs(node=none) -%}
    {%- set found = [] -%}
    {%- for id in (node or model).depends_on.nodes if id in graph.nodes -%}
        {%- do found.append(graph.nodes[id]) if graph.nodes[id].config.materialized == 'incremental' -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- Condition on the columns of the model's key, in its order: rows that an affected key's rows are made of. With `reach`
    or a `grain` those are more days than the key's own. `near`: a column within a day of the key's day, for its index.
    Other columns that `by` gave the keys are named: `is_affected(tenant_id='…', day='…', only='…')`. -#}
{% macro is_affected() -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {%- set columns = {} -%}
        {%- for name in affected().key[:varargs | length] -%}
            {%- do columns.update({'day' if name == affected().day else name: varargs[loop.index0]}) -%}
        {%- endfor -%}
        {%- for name, column in kwargs.items() if name not in ('near', 'only') -%}
            {%- do columns.update({name: column}) -%}
        {%- endfor -%}
        {{ key_condition(build_plan(), columns, kwargs.get('near'), kwargs.get('only')) }}
    {%- endif -%}
{%- endmacro %}

{#- Condition on columns (by name in the table of keys): bounds for the planner, then the keys themselves. -#}
{% macro key_condition(plan, columns, near=none, only=none) -%}
    {%- if plan.mode == 'none' -%}
        false
    {%- else -%}
        (
            {%- if columns.day %}{{ days_condition(columns.day, plan.days) }} and {% endif -%}
            {%- if near %}{{ days_condition(near, plan.days, 1) }} and {% endif -%}
            ({{ columns.values() | join(', ') }}) in (
                select {{ columns.keys() | join(', ') }} from {{ plan.key_table }}{{ ' where ' ~ only if only }}
            ))
    {%- endif -%}
{%- endmacro %}

{#- Condition on a date: a list where days are few, else their range. -#}
{% macro days_condition(column, days, around=0) -%}
    {%- set literals = {} -%}
    {%- for day in days if days | length <= 40 -%}
        {%- for shift in range(-around, around + 1) -%}
            {%- do literals.update({date_literal(day_shifted(day, shift)): true}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if literals -%}
        {{ column }} in ({{ literals | join(', ') }})
    {%- else -%}
        {{ column }} between {{ date_literal(day_shifted(days | first, -around)) }}
            and {{ date_literal(day_shifted(days | last, around)) }}
    {%- endif -%}
{%- endmacro %}

{% macro day_shifted(day, days) -%}
    {{ return((modules.datetime.date.fromisoformat(day) + modules.datetime.timedelta(days=days)).isoformat()) }}
{%- endmacro %}

{#- The days in a table of keys (its column day) with the number of keys of each, in order. -#}
{% macro staged_days(table) -%}
    {%- set days, count = [], [] -%}
    {%- for day, keys in run_query(
        'select cast(day as ' ~ type_string() ~ '), count(*) from ' ~ table ~ ' group by day order by day'
    ).rows -%}
        {%- do days.append(day | string) -%}
        {%- do count.append(keys | int) -%}
    {%- endfor -%}
    {{ return((days, count | sum)) }}
{%- endmacro %}
