{#- What a stated key requires, checked on the first build too. Each sentence names the way out. -#}

{% macro refuse(sentence) -%}
    {{ exceptions.raise_compiler_error(model.name ~ ' ' ~ sentence ~ ' See docs/incremental.md.') }}
{%- endmacro %}

{% macro refuse_reach(days, what) -%}
    {{ refuse("looks at other days (" ~ what ~ "), but its key " ~ affected().day ~ " says that a row depends"
        ~ " on its own day"
        ~ " alone, so late events would leave wrong rows. Say how many days before a day its rows depend on: `reach: "
        ~ (days or '<days>') ~ "`.") }}
{%- endmacro %}

{#- Before a build: the statement and the SQL of the model. -#}
{% macro check_affected() -%}
    {%- set stated = affected() -%}
    {%- set code = modules.re.sub('(?s)\\{#.*?#\\}|--[^\\n]*', '', model.raw_code) -%}
    {%- if 'tenant_id' not in stated.key and not stated.within -%}
        {{ refuse("is incremental without saying what is rebuilt together. Name the columns of its key, the"
            ~ " tenant among them,"
            ~ " e.g. meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}}; or, of rows whose"
            ~ " tenant is not known yet, what keeps tenants apart in it (within: 'account').") }}
    {%- endif -%}
    {%- if not stated.whole -%}
        {%- do check_other_refs(stated) -%}
        {%- if not stated.through -%}
            {{ refuse("reads no incremental model, so nothing names its affected keys. Read one, or say"
                ~ " `through: loads` if it"
                ~ " reads staging models alone.") }}
        {%- endif -%}
        {%- for name, lookup in stated.through.items() -%}
            {%- do check_source(stated, name, lookup) -%}
        {%- endfor -%}
        {%- if 'is_affected(' not in code -%}
            {{ refuse("computes all of history at each build. Restrict what it reads with is_affected(…) and"
                ~ " the columns there"
                ~ " that answer to its key (" ~ stated.key | join(', ') ~ ").") }}
        {%- endif -%}
        {%- do check_windows(stated, code) if not stated.by -%}
    {%- endif -%}
{%- endmacro %}

{#- What changes the keys is read, and says which of them. -#}
{% macro check_source(stated, name, lookup) -%}
    {%- for read in [name, lookup] if read and read != 'loads' and not named_ref(read) -%}
        {{ refuse("says `through: " ~ read ~ "`, which is not an incremental model that it reads. Add ref('" ~ read
            ~ "') or take the name out.") }}
    {%- endfor -%}
    {%- if name != 'loads' and not stated.by -%}
        {%- set known = affected(named_ref(lookup or name)).notes -%}
        {%- for column in stated.key if column not in known -%}
            {%- if column != stated.day or not ('utc_day' in known or 'local_day' in known) -%}
                {{ refuse("has the key column " ~ column ~ ", but the changes of " ~ (lookup or name) ~ " do"
                    ~ " not say which it is."
                    ~ " Say in `through` where the keys of a change are found (through: {'" ~ name ~ "':"
                    ~ " '<model>'}), or let that"
                    ~ " model note it (notes: {'" ~ column ~ "': '<its column>'}).") }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Whatever else it reads does not change under its rows. -#}
{% macro check_other_refs(stated) -%}
    {%- for id in model.depends_on.nodes if id in graph.nodes and graph.nodes[id].resource_type == 'model' -%}
        {%- set read = graph.nodes[id] -%}
        {%- if read.config.materialized == 'view' and 'loads' not in stated.through -%}
            {{ refuse("reads the staging model " ~ read.name ~ ": say `loads` in `through`, or read an"
                ~ " incremental model.") }}
        {%- elif read.config.materialized == 'table' and read.name not in stated.fixed -%}
            {{ refuse("reads " ~ read.name ~ ", which is rebuilt as a whole: a change in it names no key, so"
                ~ " old rows would keep"
                ~ " what it said. Join it where this model is read, make it incremental with `whole: true`, or"
                ~ " say `fixed: ["
                ~ read.name ~ "]` if what it says of a key never changes.") }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- A row that looks at other days says how far; nothing looks over tenants. The text of the SQL shows most of it. -#}
{% macro check_windows(stated, code) -%}
    {%- set re = modules.re -%}
    {%- set days = [stated.day] if stated.day else [] -%}
    {%- for call in re.findall('is_affected\\(([^)]*)\\)', code) -%}
        {%- do days.extend(re.findall('(\\w+)[\'"]', call) | reject('in', stated.key) | list) -%}
    {%- endfor -%}
    {%- set day = '\\b(?:' ~ days | join('|') ~ ')\\b' -%}
    {%- set back, what = [], [] -%}
    {%- set in_parentheses = '\\(((?:[^()]|\\((?:[^()]|\\([^()]*\\))*\\))*)\\)' -%}
    {%- for window in re.findall('(?is)(?:\\bover|\\bwindow\\s+\\w+\\s+as)\\s*' ~ in_parentheses, code) -%}
        {%- set partition = re.split('(?i)\\b(?:order\\s+by|rows|range)\\b', window)[0] -%}
        {%- set inside = stated.inside | select('in', re.findall('\\w+', partition)) | list -%}
        {%- for column in stated.key
            if column != stated.day and not inside and not re.search('\\b' ~ column ~ '\\b', partition) -%}
            {{ refuse("looks over rows of other keys in over (" ~ window | trim ~ "). Add " ~ column ~ " to its"
                ~ " partition.") }}
        {%- endfor -%}
        {%- if stated.day and not re.search(day, partition) -%}
            {%- do what.append('over (' ~ window | trim ~ ')') -%}
            {%- do back.extend(re.findall('(?i)(\\d+)\\D*preceding', window)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for shift in [
        'add_(?:days|interval)\\(\\s*[\'"](?:\\w+\\.)?' ~ day ~ '[\'"]\\s*,\\s*[\'"]?-?\\s*(\\d*)',
        day ~ '\\s*[-+]\\s*(?:interval\\s*)?[\'"]?(\\d+)',
        '\\w+\\.' ~ day ~ '\\s*(?:<=?|>=?|between)\\s*\\w+\\.' ~ day ~ '()',
    ] if stated.day -%}
        {%- for number in re.findall('(?i)' ~ shift, code) -%}
            {%- do what.append('a comparison of ' ~ stated.day ~ ' with other days') -%}
            {%- do back.append(number or 0) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do refuse_reach(back | map('int') | list | max if back else none, what[0]) if what and not stated.reach -%}
{%- endmacro %}

{#- After a build of everything: the table has the columns, and the newest keys, built alone, come out as they are. -#}
{% macro check_built() -%}
    {%- set stated = affected() -%}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    {%- for column in stated.key + stated.notes.values() | list if column not in columns -%}
        {{ refuse("has no column " ~ column ~ ", which its key or its notes name. Add it to the final select or"
            ~ " name another.") }}
    {%- endfor -%}
    {%- if stated.day and not stated.by and not stated.whole and rows_differ_alone(columns, stated.reach) -%}
        {%- for reach in [1, 2, 6, 7, 13, 14, 27, 28, 29, 30, 59, 89, 90, 179, 364] if reach > stated.reach -%}
            {%- if not rows_differ_alone(columns, reach) -%}
                {%- do refuse_reach(reach, 'as the newest keys, built alone, show') -%}
            {%- endif -%}
        {%- endfor -%}
        {{ refuse("gives other rows for the newest keys alone than for all keys together. It looks at days"
            ~ " after a key's own, or"
            ~ " its rows are not determined by what it reads.") }}
    {%- endif -%}
{%- endmacro %}

{#- How many rows of the newest two days come out otherwise when their keys alone are built. -#}
{% macro rows_differ_alone(columns, reach) -%}
    {%- set plan, stated = build_plan(), affected() -%}
    {%- set newest = '(select max(' ~ stated.day ~ ') from ' ~ this ~ ')' -%}
    {%- set keys -%}
        select {{ stated.names }}, {{ stated.day }} as day
        from {{ this }}
        where {{ stated.day }} in (
            {{ newest }}, (select max({{ stated.day }}) from {{ this }} where {{ stated.day }} < {{ newest }})
        )
    {%- endset -%}
    {%- set key_table = make_scratch_table('keys_alone_' ~ reach, keys_and_what_they_read(keys, reach)) -%}
    {%- set days, count = staged_days(key_table) -%}
    {%- do plan.update(mode='keys', key_table=key_table, days=days, count=count) -%}
    {%- set differing = rows_that_differ(
        columns, this, is_rebuilt(), '(' ~ render(model.raw_code) ~ ') as alone', is_rebuilt()
    ) -%}
    {%- do plan.update(mode='full') -%}
    {#- what was loaded since the build began is no fault of the model -#}
    {{ return(run_query('
        select count(*) from (' ~ differing ~ ') as differing
        where (select coalesce(max(load_id), 0) from ops.load_manifest) <= ' ~ plan.load_id
    ).columns[0].values()[0]) }}
{%- endmacro %}
