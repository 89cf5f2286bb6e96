{#- What a model says of its key (`meta: affected`), and the conditions that follow from it. Changes are told apart by
    tenant, user, anonymous id, UTC day, local day, entity (any text that names an order, a call), customer, payment and
    invoice, the columns of ops.replaced_keys; what a model's changes say of these are its notes. -#}

{#- The statement of a model, completed: `names` are the columns of the key without its `day`, `through` a dictionary of
    what changes the keys: name → the model in which the keys of a change are looked up, or none. -#}
{% macro affected(node=none) -%}
    {%- set node = node or model -%}
    {%- set said = node.config.get('meta', {}).get('affected', {}) -%}
    {%- set key = said.get('key', []) -%}
    {%- set day = key | last if 'days' in said else none -%}
    {%- set notes = {} -%}
    {%- set told_apart = [
        'tenant_id', 'user_id', 'anonymous_id', 'entity_key', 'customer_id', 'payment_id', 'invoice_id'
    ] -%}
    {%- for column in key if column == day or column in told_apart -%}
        {%- do notes.update({said.days ~ '_day' if column == day else column: column}) -%}
    {%- endfor -%}
    {%- do notes.update(said.get('notes', {})) -%}
    {%- set through = {} -%}
    {%- set told = said.get('through', incremental_refs(node) | map(attribute='name') | list) -%}
    {%- for name in ([told] if told is string else told) -%}
        {%- do through.update({name: told[name] if told is mapping else none}) -%}
    {%- endfor -%}
    {%- set grain = said.get('grain', 'day') -%}
    {%- set stated = {
        'key': key, 'days': none, 'reach': 0, 'by': none, 'near': none, 'whole': false, 'finds_keys': false,
        'unnoted': [], 'fixed': [], 'vars': [], 'inside': [], 'within': none, 'closed_with': 'events',
        'product': none,
    } -%}
    {%- do stated.update(said) -%}
    {%- do stated.update(day=day, names=key | reject('equalto', day) | join(', '), notes=notes, through=through) -%}
    {%- do stated.update(grains=[grain] if grain is string else grain) -%}
    {{ return(stated) }}
{%- endmacro %}

{#- The incremental models that a model reads. -#}
{% macro incremental_refs(node=none) -%}
    {%- set found = [] -%}
    {%- for id in (node or model).depends_on.nodes if id in graph.nodes -%}
        {%- do found.append(graph.nodes[id]) if graph.nodes[id].config.materialized == 'incremental' -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- Whether an incremental model takes keys from this one's changes. -#}
{% macro has_readers() -%}
    {%- for node in graph.nodes.values() if model.unique_id in node.depends_on.nodes -%}
        {%- if node.config.materialized == 'incremental' and model.name in affected(node).through -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{#- Condition on the columns of the key, in its order, where they are read: what the rows of affected keys are made of
    (with `reach` or a `grain` more days than the keys'). `near`: a column within a day of the key's day, for its index.
    What a macro (`by`) gave the keys besides is named: is_affected(tenant_id='…', day='…', only='…'). -#}
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
        {{ key_condition(columns, kwargs.get('near'), kwargs.get('only')) }}
    {%- endif -%}
{%- endmacro %}

{#- Condition on the table's own columns: rows of affected keys. -#}
{% macro is_rebuilt() -%}
    {%- set columns = {} -%}
    {%- for name in affected().key -%}
        {%- do columns.update({'day' if name == affected().day else name: name}) -%}
    {%- endfor -%}
    {{ key_condition(columns, affected().near, 'is_rebuilt') }}
{%- endmacro %}

{#- Condition on columns by their name in the table of keys: bounds for the planner, then the keys themselves. -#}
{% macro key_condition(columns, near, only) -%}
    {%- set plan = build_plan() -%}
    {%- if plan.mode == 'none' -%}
        false
    {%- else -%}
        (
            {%- if columns.day %}{{ days_condition(columns.day, plan.days) }} and {% endif -%}
            {%- if near %}{{ days_condition(near, plan.days, 1) }} and {% endif -%}
            {%- set keys = columns.keys() | join(', ') -%}
            {%- set staged = 'from ' ~ plan.key_table ~ (' where ' ~ only if only else '') -%}
            {%- if columns | length == 1 and has_few_values(plan, keys) -%}
                {{ is_one_of_few(columns.values() | first, 'select distinct ' ~ keys ~ ' ' ~ staged) }}
            {%- else -%}
                ({{ columns.values() | join(', ') }}) in (select {{ keys }} {{ staged }})
            {%- endif -%}
            )
    {%- endif -%}
{%- endmacro %}

{#- Whether a column of the table of keys has few values; keys of several columns may be many, of few customers. A key
    of one column has as many values as keys, unless a macro (`by`) gave them more columns. -#}
{% macro has_few_values(plan, name) -%}
    {%- set count = plan.count or 0 -%}
    {%- set is_alone = affected().key | length == 1 and not affected().by -%}
    {%- if count > var('affected_keys_to_weigh') and not is_alone -%}
        {%- set count = run_query(
            'select count(distinct ' ~ name ~ ') from ' ~ plan.key_table
        ).columns[0].values()[0] -%}
    {%- endif -%}
    {{ return(0 < count <= var('affected_keys_to_weigh')) }}
{%- endmacro %}

{#- Condition on a date: a list where days are few, else their range; `around` days more at each. -#}
{% macro days_condition(column, days, around=0) -%}
    {%- if not days -%}
        false
    {%- elif days | length > 40 -%}
        {{ column }} between {{ add_days(date_literal(days | first), -around) }}
            and {{ add_days(date_literal(days | last), around) }}
    {%- else -%}
        {%- set literals = {} -%}
        {%- for day in days -%}
            {%- for shift in range(-around, around + 1) -%}
                {%- set shifted = modules.datetime.date.fromisoformat(day) + modules.datetime.timedelta(days=shift) -%}
                {%- do literals.update({date_literal(shifted): true}) -%}
            {%- endfor -%}
        {%- endfor -%}
        {{ column }} in ({{ literals | join(', ') }})
    {%- endif -%}
{%- endmacro %}
