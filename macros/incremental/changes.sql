{#- From what changed upstream to the affected keys of a model. -#}

{#- Stages the affected keys in a table, once, and says how to build: the part of a plan. Where most keys of the model are
    affected, everything anew is the shorter way. -#}
{% macro stage_affected_keys(query) -%}
    {%- set key_table = make_scratch_table('affected_keys', query) -%}
    {%- set days, count = staged_days(key_table) -%}
    {%- if not count -%}
        {{ return({'mode': 'none'}) }}
    {%- endif -%}
    {%- if count > var('affected_keys_to_weigh') and not affected().whole -%}
        {%- set known = run_query(
            'select count(*) from (select distinct ' ~ affected().key | join(', ') ~ ' from ' ~ this ~ ') as known'
        ).columns[0].values()[0] -%}
        {%- if 2 * count > known -%}
            {{ return({'mode': 'full'}) }}
        {%- endif -%}
    {%- endif -%}
    {{ return({'mode': 'keys', 'key_table': key_table, 'days': days}) }}
{%- endmacro %}

{#- A query of the keys that changed since the model's last build: its key's columns (the day as `day`), and `is_rebuilt`:
    false for a day that is only read, because a key reaches back to it or is a longer period. -#}
{% macro affected_keys_query(state) -%}
    {%- set stated = affected() -%}
    {%- set names = stated.key | reject('equalto', stated.day) | list -%}
    {%- if stated.by -%}
        select found.*, true as is_rebuilt from ({{ context[stated.by](changes_query(state)) }}) as found
    {%- else -%}
        {%- set parts = [] -%}
        {%- for name in stated.through -%}
            {%- for grain in stated.grains -%}
                {%- do parts.append(_keys_of_source(stated, names, _change_source(name, state), grain)) -%}
            {%- endfor -%}
        {%- endfor -%}
        {{ keys_with_what_they_read(stated, parts | join(' union '), stated.reach) }}
    {%- endif -%}
{%- endmacro %}

{#- The same from a query of the keys. -#}
{% macro keys_with_what_they_read(stated, keys, reach) -%}
    {%- set names = stated.key | reject('equalto', stated.day) | join(', ') -%}
    {%- set length = _grain_days(stated) if stated.grains | length == 1 else 0 -%}
    {%- if not stated.day -%}
        select {{ names }}, cast(null as date) as day, true as is_rebuilt from ({{ keys }}) as keys
    {%- elif not reach and not length -%}
        select {{ names }}, day, true as is_rebuilt from ({{ keys }}) as keys
    {%- else -%}
        with keys as ({{ keys }})
        select {{ names }}, day, max(rebuilt) = 1 as is_rebuilt
        from (
            select {{ names }}, day, 1 as rebuilt from keys
            union all
            select {{ names }}, {{ add_days('keys.day', 'shifts.days') }} as day, 0 as rebuilt
            from keys
            cross join ({{ _shifts(-reach, length) }}) as shifts
        ) as days
        group by {{ names }}, day
    {%- endif -%}
{%- endmacro %}

{#- A query of the changes themselves, for a model whose keys a macro of its own finds (`by`). -#}
{% macro changes_query(state) -%}
    {%- set parts = [] -%}
    {%- for name in affected().through -%}
        {%- set source = _change_source(name, state) -%}
        {%- set columns = [] -%}
        {%- for column, type in [
            ('tenant_id', type_uuid()), ('user_id', type_uuid()), ('anonymous_id', type_string()),
            ('utc_day', 'date'), ('local_day', 'date'),
        ] -%}
            {%- do columns.append('cast(' ~ source.columns.get(column, 'null') ~ ' as ' ~ type ~ ') as ' ~ column) -%}
        {%- endfor -%}
        {%- do parts.append('select ' ~ columns | join(', ') ~ ' ' ~ source.rows) -%}
    {%- endfor -%}
    {{ return(parts | join(' union ')) }}
{%- endmacro %}

{#- The keys that one source of changes affects. -#}
{% macro _keys_of_source(stated, names, source, grain) -%}
    {%- set columns = [] -%}
    {%- for name in names -%}
        {%- do columns.append(source.columns[name] ~ ' as ' ~ name) -%}
    {%- endfor -%}
    {%- if not stated.day -%}
        select distinct {{ columns | join(', ') }} {{ source.rows }}
    {%- else -%}
        {#- a day of the other calendar lies in up to three of this one -#}
        {%- set own = source.columns.get(stated.days ~ '_day') -%}
        {%- set day = own or source.columns.utc_day or source.columns.local_day -%}
        {%- set around = 0 if own else 1 -%}
        select distinct
            {{ names | join(', ') }},
            {{ cohort_start(grain, add_days('changed.day', 'shifts.days')) }} as day
        from (select distinct {{ columns | join(', ') }}, {{ day }} as day {{ source.rows }}) as changed
        cross join ({{ _shifts(-around, around + source.days - 1 + stated.reach) }}) as shifts
    {%- endif -%}
{%- endmacro %}

{#- Where changes are read: `rows` (from … where …), their columns, and the days that one of them covers. -#}
{% macro _change_source(name, state) -%}
    {%- if name == 'loads' -%}
        {%- set entity = 'user' if 'user_id' in affected().key and not affected().day else 'tenant_day' -%}
        {{ return({
            'rows': "from " ~ source('ops', 'load_touched') ~ " as touched where touched.entity_type = '" ~ entity
                ~ "' and touched.load_id > " ~ state.loaded ~ " and touched.load_id <= " ~ state.load_id,
            'columns': {
                'user': {'tenant_id': 'touched.tenant_id', 'user_id': 'cast(touched.entity_id as ' ~ type_uuid() ~ ')'},
                'tenant_day': {'tenant_id': 'touched.tenant_id', 'utc_day': 'touched.touched_on'},
            }[entity],
            'days': 1,
        }) }}
    {%- endif -%}
    {%- set upstream = named_ref(name) -%}
    {%- set where = " where log.model_name = '" ~ model_key(upstream) ~ "' and log.build_id > "
        ~ state.seen[model_key(upstream)] -%}
    {%- set lookup = affected().through[name] -%}
    {%- set columns = {} -%}
    {%- if not lookup -%}
        {%- for column in affected(upstream).notes -%}
            {%- do columns.update({column: 'log.' ~ column}) -%}
        {%- endfor -%}
        {{ return({
            'rows': 'from ops.replaced_keys as log' ~ where,
            'columns': columns,
            'days': _grain_days(affected(upstream)) + 1,
        }) }}
    {%- endif -%}
    {%- set found = model if lookup == model.name else named_ref(lookup) -%}
    {%- set matches = [] -%}
    {%- for column, name in affected(found).notes.items() -%}
        {%- do columns.update({column: 'found.' ~ name}) -%}
        {%- if column in affected(upstream).notes and not column.endswith('_day') -%}
            {%- do matches.append('found.' ~ name ~ ' = log.' ~ column) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({
        'rows': 'from ops.replaced_keys as log inner join ' ~ found.schema ~ '.' ~ (found.alias or found.name)
            ~ ' as found on ' ~ matches | join(' and ') ~ where,
        'columns': columns,
        'days': _grain_days(affected(found)) + 1,
    }) }}
{%- endmacro %}

{#- How many days of a period follow its first one, at most. -#}
{% macro _grain_days(stated) -%}
    {{ return({'day': 0, 'week': 6, 'month': 30}[stated.grains | last]) }}
{%- endmacro %}

{#- A query of whole numbers, column days. -#}
{% macro _shifts(first, last) -%}
    {%- for number in range(first, last + 1) -%}
        select {{ number }} as days{{ ' union all ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro named_ref(name) -%}
    {%- for id in model.depends_on.nodes if id in graph.nodes and graph.nodes[id].name == name -%}
        {{ return(graph.nodes[id]) }}
    {%- endfor -%}
{%- endmacro %}
