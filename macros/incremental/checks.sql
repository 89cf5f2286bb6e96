{#- What a stated key requires, checked before the first build too; each sentence names the way out. -#}

{#- Before a build: the statement and the SQL of the model. -#}
{% macro check_affected() -%}
    {%- set stated = affected() -%}
    {%- set code = modules.re.sub('(?s)\{#.*?#\}|--[^\n]*', '', model.raw_code) -%}
    {%- if 'tenant_id' not in stated.key -%}
        {{ refuse("is incremental without saying what is rebuilt together. Name the columns of its key, the tenant among them, e.g. "
            ~ "meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}}.") }}
    {%- endif -%}
    {%- if not stated.whole -%}
        {%- if not stated.through -%}
            {{ refuse("reads no incremental model, so nothing names its affected keys. Read one, or say `through: loads` if it "
                ~ "reads staging models alone.") }}
        {%- endif -%}
        {%- for name, lookup in stated.through.items() -%}
            {%- do _check_source(stated, name, lookup) -%}
        {%- endfor -%}
        {%- do _check_other_refs(stated) -%}
        {%- if 'is_affected(' not in code -%}
            {{ refuse("computes all of history at each build. Restrict what it reads: where {{ is_affected('tenant_id', …) }}, with "
                ~ "the columns of the key in its order (" ~ stated.key | join(', ') ~ ").") }}
        {%- endif -%}
        {%- do _check_windows(stated, code) if not stated.by -%}
    {%- endif -%}
{%- endmacro %}

{#- What changes the keys is read, and says which of them. -#}
{% macro _check_source(stated, name, lookup) -%}
    {%- for read in [name, lookup] if read and read not in ('loads', model.name) -%}
        {%- if read not in incremental_refs() | map(attribute='name') -%}
            {{ refuse("says `through: " ~ read ~ "`, which is not an incremental model that it reads. Add ref('" ~ read
                ~ "') or take the name out.") }}
        {%- endif -%}
    {%- endfor -%}
    {%- if not stated.by and name != 'loads' -%}
        {%- set known = affected(model if lookup == model.name else named_ref(lookup or name)).notes -%}
        {%- for column in stated.key -%}
            {%- if column not in known and (column != stated.day or ('utc_day' not in known and 'local_day' not in known)) -%}
                {{ refuse("has the key column " ~ column ~ ", but the changes of " ~ (lookup or name) ~ " do not say which it is. Say in `through` "
                    ~ "where the keys of a change are found (through: {'" ~ name ~ "': '<model>'}), or let that model note it "
                    ~ "(notes: {'" ~ column ~ "': '<its column>'}).") }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Whatever else it reads does not change under its rows. -#}
{% macro _check_other_refs(stated) -%}
    {%- for id in model.depends_on.nodes if id in graph.nodes and graph.nodes[id].resource_type == 'model' -%}
        {%- set read = graph.nodes[id] -%}
        {%- if read.config.materialized == 'view' and 'loads' not in stated.through -%}
            {{ refuse("reads the staging model " ~ read.name ~ ": say `loads` in `through`, or read an incremental model instead.") }}
        {%- elif read.config.materialized == 'table' and read.name not in stated.fixed -%}
            {{ refuse("reads " ~ read.name ~ ", which is rebuilt as a whole: a change in it names no key, so old rows would keep what it "
                ~ "said. Join it where this model is read, make it incremental with `whole: true`, or say `fixed: ["
                ~ read.name ~ "]` if what it says of a key never changes.") }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- A row that looks at other days says how far (`reach`); nothing looks over tenants. -#}
{% macro _check_windows(stated, code) -%}
    {%- set re = modules.re -%}
    {%- set days = [stated.day] if stated.day else [] -%}
    {%- for call in re.findall('is_affected\(([^)]*)\)', code) -%}
        {%- for column in re.findall('(\w+)[\'"]', call) if column not in stated.key and column not in days -%}
            {%- do days.append(column) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set day = '\\b(?:' ~ days | join('|') ~ ')\\b' -%}
    {%- set reaches = namespace(days=none, what=none) -%}
    {%- set nested = '(?:[^()]|\((?:[^()]|\([^()]*\))*\))*' -%}
    {%- for window in re.findall('(?is)(?:\\bover|\\bwindow\s+\w+\s+as)\s*\((' ~ nested ~ ')\)', code) -%}
        {%- set partition = (re.findall('(?is)partition\s+by(.*?)(?:\\border\s+by|\\brows\\b|\\brange\\b|$)', window) + ['']) | first -%}
        {%- for column in stated.key if column != stated.day and column not in partition -%}
            {{ refuse("looks over rows of other keys in over (" ~ window | trim ~ "). Add " ~ column ~ " to its partition.") }}
        {%- endfor -%}
        {%- if stated.day and not re.search(day, partition) -%}
            {%- set back = (re.findall('(?i)(\d+)\D*preceding', window) + [0]) | first | int -%}
            {%- set reaches.days = [reaches.days or 0, back] | max -%}
            {%- set reaches.what = 'over (' ~ window | trim ~ ')' -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if stated.day -%}
        {%- for shift in [
            '(?i)add_(?:days|interval)\(\s*[\'"](?:\w+\.)?' ~ day ~ '[\'"]\s*,\s*[\'"]?-?\s*(\d*)',
            '(?i)' ~ day ~ '\s*[-+]\s*(?:interval\s*)?[\'"]?(\d+)',
            '(?i)\w+\.' ~ day ~ '\s*(?:<=?|>=?|between)\s*\w+\.' ~ day ~ '()',
        ] -%}
            {%- for back in re.findall(shift, code) -%}
                {%- set reaches.days = [reaches.days or 0, back | int] | max -%}
                {%- set reaches.what = reaches.what or 'a comparison of ' ~ stated.day ~ ' with other days' -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if reaches.what and not stated.reach -%}
        {{ refuse_reach(reaches.days, reaches.what) }}
    {%- endif -%}
{%- endmacro %}

{#- After a build of everything: the table has the columns, and a few keys that are built alone come out as they are. -#}
{% macro check_built() -%}
    {%- set plan = build_plan() -%}
    {%- set stated = affected() -%}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    {%- for column in stated.key + stated.notes.values() | list if column not in columns -%}
        {{ refuse("has no column " ~ column ~ ", which its key or its notes name. Add it to the final select or name another.") }}
    {%- endfor -%}
    {%- if stated.day and not stated.by and not stated.whole -%}
        {%- if _differing_alone(plan, stated, columns, stated.reach) -%}
            {%- for reach in [1, 2, 6, 7, 13, 14, 27, 28, 29, 30, 59, 89, 90, 179, 364] if reach > stated.reach -%}
                {%- if not _differing_alone(plan, stated, columns, reach) -%}
                    {{ refuse_reach(reach, 'its SQL, as a few keys that were built alone show') }}
                {%- endif -%}
            {%- endfor -%}
            {{ refuse("gives other rows for a few keys that are built alone than for all together. It looks at days after a key's own, at "
                ~ "other tenants, or its result is not determined.") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- How many rows of the newest keys come out otherwise when these keys alone are built. -#}
{% macro _differing_alone(plan, stated, columns, reach) -%}
    {%- set day = stated.day -%}
    {%- set newest = '(select max(' ~ day ~ ') from ' ~ this ~ ')' -%}
    {%- set before = '(select max(' ~ day ~ ') from ' ~ this ~ ' where ' ~ day ~ ' < ' ~ newest ~ ')' -%}
    {%- set names = stated.key | reject('equalto', day) | join(', ') -%}
    {%- set keys = 'select distinct ' ~ names ~ ', ' ~ day ~ ' as day from ' ~ this ~ ' where ' ~ day ~ ' in (' ~ newest ~ ', '
        ~ before ~ ')' -%}
    {%- set key_table = make_scratch_table('keys_alone_' ~ reach, keys_with_what_they_read(stated, keys, reach)) -%}
    {%- do plan.update(key_table=key_table, days=staged_days(key_table)[0]) -%}
    {%- if not plan.days -%}
        {{ return(0) }}
    {%- endif -%}
    {%- do plan.update(mode='keys') -%}
    {%- set alone = render(model.raw_code) -%}
    {%- set where = rebuilt_condition(plan, stated) -%}
    {%- do plan.update(mode='full') -%}
    {{ return(run_query(
        'select count(*) from (' ~ rows_that_differ(columns, this, where, '(' ~ alone ~ ') as alone', where) ~ ') as differing'
    ).columns[0].values()[0]) }}
{%- endmacro %}

{% macro refuse_reach(days, what) -%}
    {{ refuse("looks at other days (" ~ what ~ "), but its key " ~ affected().day ~ " says that a row depends on its own day alone, so "
        ~ "late events would leave wrong rows. Say how many days before a day its rows depend on: `reach: "
        ~ (days or '<days>') ~ "`.") }}
{%- endmacro %}

{% macro refuse(sentence) -%}
    {{ exceptions.raise_compiler_error(model.name ~ ' ' ~ sentence ~ ' See docs/incremental.md.') }}
{%- endmacro %}
