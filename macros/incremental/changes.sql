{#- From what changed upstream to the affected keys of a model, staged in a table. -#}

{#- A query of the affected keys: the columns of the key (its day as `day`), and `is_rebuilt`: false for a day that is
    only read, because a key reaches back to it or is a longer period. -#}
{% macro affected_keys_query(state) -%}
    {%- set stated = affected() -%}
    {%- if stated.by -%}
        select found.*, true as is_rebuilt from ({{ context[stated.by](changes_query(state)) }}) as found
    {%- elif not stated.day -%}
        {{ keys_and_what_they_read('select ' ~ stated.names ~ ' from (' ~ changes_query(state) ~ ') as changes') }}
    {%- else -%}
        {#- a day of the other calendar lies in up to three of this one -#}
        {%- set own = 'changes.' ~ stated.days ~ '_day' -%}
        {%- set day = add_days('coalesce(' ~ own ~ ', changes.utc_day, changes.local_day)', 'shifts.days') -%}
        {%- set last = stated.reach + changed_period_days() -%}
        {%- set keys -%}
            {%- for grain in stated.grains %}
            select {{ stated.names }}, {{ cohort_start(grain, day) }} as day
            from ({{ changes_query(state) }}) as changes
            inner join ({{ whole_numbers(-1, last + 1) }}) as shifts
                on {{ own }} is null or shifts.days between 0 and {{ last }}
            {{- ' union ' if not loop.last }}
            {%- endfor %}
        {%- endset -%}
        {{ keys_and_what_they_read(keys) }}
    {%- endif -%}
{%- endmacro %}

{#- The same from a query of the keys alone. -#}
{% macro keys_and_what_they_read(keys, reach=none) -%}
    {%- set stated = affected() -%}
    {%- set reach = stated.reach if reach is none else reach -%}
    {%- set length = 0 if stated.grains | length > 1 else grain_days(stated) -%}
    {%- if reach + length -%}
        with keys as ({{ keys }})
        select {{ stated.names }}, day, max(rebuilt) = 1 as is_rebuilt
        from (
            select {{ stated.names }}, day, 1 as rebuilt from keys
            union all
            select {{ stated.names }}, {{ add_days('keys.day', 'shifts.days') }} as day, 0 as rebuilt
            from keys
            cross join ({{ whole_numbers(-reach, length) }}) as shifts
        ) as days
        group by {{ stated.names }}, day
    {%- else -%}
        select distinct
            {{ stated.names }},
            {{ 'day' if stated.day else 'cast(null as date) as day' }},
            true as is_rebuilt
        from ({{ keys }}) as keys
    {%- endif -%}
{%- endmacro %}

{#- A query of what changed since the model's last build, by tenant_id, user_id, anonymous_id, utc_day, local_day,
    entity_key, customer_id, payment_id and invoice_id as far as that is known; and with var rebuilt_days of what lies
    on those days, changed or not. -#}
{% macro changes_query(state) -%}
    {%- set queries = [] -%}
    {%- for name, lookup in affected().through.items() -%}
        {%- if name == 'loads' -%}
            {%- set touched = 'tenant_day' -%}
            {%- if affected().within -%}
                {%- set touched = 'customer' -%}
            {%- elif 'user_id' in affected().key -%}
                {%- set touched = 'user' -%}
            {%- endif -%}
            {%- set columns = {
                'customer': {'entity_key': 'touched.entity_id'},
                'user': {'tenant_id': 'touched.tenant_id', 'user_id': 'touched.entity_id'},
                'tenant_day': {'tenant_id': 'touched.tenant_id', 'utc_day': 'touched.touched_on'},
            }[touched] -%}
            {%- set rows -%}
                from ops.load_touched as touched
                where
                    touched.entity_type = '{{ touched }}'
                    and (
                        touched.load_id > {{ state.loaded }}
                        {%- if var('rebuilt_days') %} or {{ is_day_asked_for('touched.touched_on') }}{% endif %}
                    )
                    and touched.load_id <= {{ state.load_id }}
            {%- endset -%}
            {%- do queries.append(_change_columns(columns) ~ rows) -%}
        {%- else -%}
            {%- set upstream = named_ref(name) -%}
            {%- set found = named_ref(lookup or name) -%}
            {%- set columns, matches = {}, [] -%}
            {%- for column, found_column in affected(found).notes.items() -%}
                {%- do columns.update({column: 'found.' ~ found_column if lookup else 'log.' ~ column}) -%}
                {%- if column in affected(upstream).notes and not column.endswith('_day') -%}
                    {%- do matches.append('found.' ~ found_column ~ ' = log.' ~ column) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set rows -%}
                from ops.replaced_keys as log
                {% if lookup %}inner join {{ model_key(found) }} as found on {{ matches | join(' and ') }}{% endif %}
                where
                    log.model_name = '{{ model_key(upstream) }}'
                    and log.build_id > {{ state.seen[model_key(upstream)] }}
            {%- endset -%}
            {%- do queries.append(_change_columns(columns) ~ rows) -%}
            {%- do queries.append(_rows_on_days_asked_for(found)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do queries.append(_rows_on_days_asked_for(model)) -%}
    {{ queries | select | join(' union ') }}
{%- endmacro %}

{#- The select list of a query of changes, from those columns that are known. -#}
{% macro _change_columns(columns) -%}
    {%- set types = {
        'tenant_id': type_uuid(),
        'user_id': type_uuid(),
        'anonymous_id': type_string(),
        'utc_day': 'date',
        'local_day': 'date',
        'entity_key': type_string(),
        'customer_id': type_uuid(),
        'payment_id': type_uuid(),
        'invoice_id': type_uuid(),
    } %}
        select
            {%- for column, type in types.items() %}
            cast({{ columns.get(column, 'null') }} as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        {{ '' }}
{%- endmacro %}

{#- What a model holds on the days asked for, as if all of it had changed; nothing when no days are asked for, or the
    model's notes name no day. -#}
{% macro _rows_on_days_asked_for(node) -%}
    {%- set notes = affected(node).notes -%}
    {%- set day = notes.local_day or notes.utc_day -%}
    {%- if var('rebuilt_days') and day -%}
        {%- set columns = {} -%}
        {%- for column, own_column in notes.items() -%}
            {%- do columns.update({column: 'held.' ~ own_column}) -%}
        {%- endfor -%}
        {{ _change_columns(columns) }}
        from {{ model_key(node) }} as held
        where {{ is_day_asked_for('held.' ~ day) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a day is one of var rebuilt_days (first and last), or next to them: a tenant's day lies in up to two of
    UTC. -#}
{% macro is_day_asked_for(day) -%}
    {{ day }} between {{ add_days(date_literal(var('rebuilt_days').first), -1) }}
        and {{ add_days(date_literal(var('rebuilt_days').last), 1) }}
{%- endmacro %}

{#- Days of a period that may follow its first one. -#}
{% macro grain_days(stated) -%}
    {{ return({'day': 0, 'week': 6, 'month': 30}[stated.grains | last]) }}
{%- endmacro %}

{#- The same of the periods that a change upstream may name by their first day. -#}
{% macro changed_period_days() -%}
    {%- set days = [0] -%}
    {%- for name, lookup in affected().through.items() if name != 'loads' -%}
        {%- do days.append(grain_days(affected(named_ref(lookup or name)))) -%}
    {%- endfor -%}
    {{ return(days | max) }}
{%- endmacro %}

{#- A query of the whole numbers from one to another, column days. -#}
{% macro whole_numbers(first, last) -%}
    {%- for number in range(first, last + 1) -%}
        select {{ number }} as days{{ ' union all ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- A model that this one reads, or itself. -#}
{% macro named_ref(name) -%}
    {%- for node in incremental_refs() + [model] if node.name == name -%}
        {{ return(node) }}
    {%- endfor -%}
{%- endmacro %}

{#- Stages keys and says how to build: a part of the plan. Where most keys of the model are affected, everything anew is
    the shorter way. -#}
{% macro stage_affected_keys(query) -%}
    {%- set key_table = make_scratch_table('affected_keys', query) -%}
    {%- set days, count = staged_days(key_table) -%}
    {%- set mode = namespace(name='keys' if count else 'none') -%}
    {%- if count > var('affected_keys_to_weigh') and not affected().whole -%}
        {%- set known = run_query(
            'select count(*) from (select distinct ' ~ affected().key | join(', ') ~ ' from ' ~ this ~ ') as known'
        ).columns[0].values()[0] -%}
        {%- set mode.name = 'full' if 2 * count > known else 'keys' -%}
    {%- endif -%}
    {{ return({'mode': mode.name, 'key_table': key_table, 'days': days, 'count': count}) }}
{%- endmacro %}

{#- The days in a table of keys, in order, and the number of keys. -#}
{% macro staged_days(table) -%}
    {%- set days, counts = [], [0] -%}
    {%- for day, keys in run_query(
        'select cast(day as ' ~ type_string() ~ '), count(*) from ' ~ table ~ ' group by day order by day'
    ).rows -%}
        {%- do days.append(day | string) -%}
        {%- do counts.append(keys | int) -%}
    {%- endfor -%}
    {{ return((days, counts | sum)) }}
{%- endmacro %}
