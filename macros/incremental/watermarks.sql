{#- How far each incremental model has come. `ops.model_watermarks` holds the last load that a model contains, and the
    fingerprint it was built under; it is written in the transaction of the build. `ops.build_bounds` holds, for each dbt
    run, the newest load when it began: no model claims a load that arrived while the run was on its way. The tables are
    made by tallyhouse/ops_schema.py. -#}

{% macro begin_build() -%}
    {{ return(adapter.dispatch('begin_build', 'tallyhouse')()) }}
{%- endmacro %}

{% macro default__begin_build() -%}
    delete from ops.build_bounds where began_at < now() - interval '7 days';
    insert into ops.build_bounds (invocation_id, last_load_id)
    select '{{ invocation_id }}', coalesce(max(load_id), 0) from {{ source('ops', 'load_manifest') }}
    on conflict (invocation_id) do nothing
{%- endmacro %}

{% macro duckdb__begin_build() -%}{%- endmacro %}
{% macro spark__begin_build() -%}{%- endmacro %}

{#- Post-hook of every model, inside the transaction: says what the model now contains. -#}
{% macro record_load_watermark() -%}
    {%- if execute and _is_by_affected_keys() and target.type == 'postgres' -%}
        insert into ops.model_watermarks (model_name, last_load_id, fingerprint)
        values ('{{ model_key() }}', {{ load_bound() }}, '{{ model_fingerprint() }}')
        on conflict (model_name) do update
        set last_load_id = excluded.last_load_id, fingerprint = excluded.fingerprint
        {%- if _ancestors('dim_tenant') %};
        delete from ops.model_timezones where model_name = '{{ model_key() }}';
        insert into ops.model_timezones (model_name, tenant_id, timezone)
        select '{{ model_key() }}', tenant_id, timezone from {{ _ancestor_relation('dim_tenant') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The last load that the model contains. -#}
{% macro load_watermark() -%}
    {%- set found = _watermark_row() -%}
    {{ return(found[0] if found else 0) }}
{%- endmacro %}

{#- The last load that this run may count as seen: the newest when the run began, and none that an incremental ancestor
    has not seen. -#}
{% macro load_bound() -%}
    {%- if not execute -%}
        {{ return(0) }}
    {%- endif -%}
    {%- set ancestors = [] -%}
    {%- for node in _ancestors() if node.config.materialized == 'incremental' -%}
        {%- do ancestors.append("'" ~ node.schema ~ '.' ~ (node.alias or node.name) ~ "'") -%}
    {%- endfor -%}
    {%- set bound = run_query(
        "select least(coalesce((select last_load_id from ops.build_bounds where invocation_id = '" ~ invocation_id ~ "'), "
        ~ "(select max(load_id) from ops.load_manifest), 0)"
        ~ (", (select min(last_load_id) from ops.model_watermarks where model_name in (" ~ ancestors | join(', ') ~ "))" if ancestors else "")
        ~ ")"
    ).columns[0].values()[0] -%}
    {{ return(bound | int) }}
{%- endmacro %}

{#- dbt's own question, answered for models by affected keys: also when nothing says how far the table has come, or when
    the rows it holds were made by other code or other seeds. -#}
{% macro should_full_refresh() -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- set asked = flags.FULL_REFRESH if configured is none else configured -%}
    {%- if not asked and execute and _is_by_affected_keys() and target.type == 'postgres' -%}
        {%- set found = _watermark_row() -%}
        {%- set asked = not found or found[1] != model_fingerprint() -%}
    {%- endif -%}
    {{ return(asked) }}
{%- endmacro %}

{#- One hash over the SQL and the seeds of the model and all its ancestors, and over the vars it names. -#}
{% macro model_fingerprint() -%}
    {%- set parts = [model.checksum.checksum, _affected() | string] -%}
    {%- for node in _ancestors(tracked=false) -%}
        {%- do parts.append(node.unique_id ~ node.checksum.checksum) -%}
    {%- endfor -%}
    {%- for name in _affected().get('vars', []) -%}
        {%- do parts.append(name ~ '=' ~ var(name)) -%}
    {%- endfor -%}
    {{ return(local_md5(parts | sort | join('|'))) }}
{%- endmacro %}

{% macro model_key() -%}{{ return(this.schema ~ '.' ~ this.identifier) }}{%- endmacro %}

{% macro _is_by_affected_keys() -%}
    {{ return(config.get('materialized') == 'incremental' and 'by' in _affected()) }}
{%- endmacro %}

{% macro _watermark_row() -%}
    {%- set rows = run_query(
        "select last_load_id, fingerprint from ops.model_watermarks where model_name = '" ~ model_key() ~ "'"
    ).rows -%}
    {{ return((rows[0][0] | int, rows[0][1]) if rows else none) }}
{%- endmacro %}

{#- The models and seeds upstream of this one, each once. With a name: only that one. With tracked=false: neither dim_tenant
    nor what lies only before it, since the one thing taken from it, the time zone, is tracked by its value. -#}
{% macro _ancestors(name=none, tracked=true) -%}
    {%- set found = {} -%}
    {%- set pending = model.depends_on.nodes | list -%}
    {%- for _ in range(10000) if pending -%}
        {%- set id = pending.pop() -%}
        {%- if id not in found and id in graph.nodes and (tracked or graph.nodes[id].name != 'dim_tenant') -%}
            {%- do found.update({id: graph.nodes[id]}) -%}
            {%- do pending.extend(graph.nodes[id].depends_on.nodes) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found.values() | selectattr('name', 'equalto', name) | list if name else found.values() | list) }}
{%- endmacro %}

{% macro _ancestor_relation(name) -%}
    {%- set node = _ancestors(name) | first -%}
    {%- if not node -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " asks for affected days but has no " ~ name ~ " upstream; read fact_events, or use affected_loaded_days."
        ) }}
    {%- endif -%}
    {{ return(node.schema ~ '.' ~ (node.alias or node.name)) }}
{%- endmacro %}
