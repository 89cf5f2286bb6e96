{#- What is remembered of builds (tables made by tallyhouse/ops_schema.py), written in the transaction of each build:
        ops.build_bounds      newest load when a run of dbt began: no model claims a later one
        ops.model_watermarks  what a model contains: its last load, code and seeds, its newest build that changed rows, and
                              the build since which the log of its changes is complete
        ops.model_reads       the newest build of each upstream model that a model has taken changes from
        ops.replaced_keys     the log: for each build of a model the keys of the rows that came, went or changed -#}

{#- Once per run: the bound of the run, and the log without what every reader has passed or what is older than 30 days
    (a reader that stood still for so long is rebuilt in full). -#}
{% macro begin_build() -%}
    {{ return(adapter.dispatch('begin_build', 'tallyhouse')()) }}
{%- endmacro %}

{% macro duckdb__begin_build() -%}{%- endmacro %}
{% macro spark__begin_build() -%}{%- endmacro %}

{% macro default__begin_build() -%}
    {%- if execute -%}
        {%- set month_ago = ((modules.datetime.datetime.now(modules.pytz.utc).timestamp() - 30 * 86400) * 1000000) | int -%}
        {%- do run_query(
            "delete from ops.build_bounds where began_at < now() - interval '7 days'"
        ) -%}
        {%- call statement('forget') -%}
            update ops.model_watermarks as logged
            set log_start = old.build_id
            from (
                select model_name, max(build_id) as build_id
                from ops.replaced_keys
                where build_id <= {{ month_ago }}
                group by model_name
            ) as old
            where logged.model_name = old.model_name and logged.log_start < old.build_id
        {%- endcall -%}
        {%- call statement('purge') -%}
            delete from ops.replaced_keys as log
            where not exists (
                select 1
                from ops.model_watermarks as logged
                inner join ops.model_reads as reads on logged.model_name = reads.upstream_name
                where
                    logged.model_name = log.model_name
                    and log.build_id > logged.log_start
                    and log.build_id > reads.build_id
            )
        {%- endcall -%}
        insert into ops.build_bounds (invocation_id, last_load_id)
        select '{{ invocation_id }}', coalesce(max(load_id), 0) from {{ source('ops', 'load_manifest') }}
        on conflict (invocation_id) do nothing
    {%- endif -%}
{%- endmacro %}

{#- Post-hook of every model: what it now contains. -#}
{% macro record_load_watermark() -%}
    {%- if is_by_affected_keys() -%}
        {{ adapter.dispatch('record_load_watermark', 'tallyhouse')() }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__record_load_watermark() -%}{%- endmacro %}
{% macro spark__record_load_watermark() -%}{%- endmacro %}

{% macro default__record_load_watermark() -%}
    {%- set plan = build_plan() -%}
    {%- if plan.mode == 'full' -%}
        {%- do check_built() -%}
    {%- endif -%}
    {%- if plan.upstreams -%}
        {%- call statement('reads') -%}
            insert into ops.model_reads (model_name, upstream_name, build_id) values
            {% for name, build_id in plan.upstreams.items() -%}
                ('{{ model_key() }}', '{{ name }}', {{ build_id }}){{ ', ' if not loop.last }}
            {%- endfor %}
            on conflict (model_name, upstream_name) do update set build_id = excluded.build_id
        {%- endcall -%}
    {%- endif -%}
    insert into ops.model_watermarks as known (model_name, last_load_id, fingerprint, build_id, log_start)
    values ('{{ model_key() }}', {{ plan.load_id }}, '{{ plan.fingerprint }}', {{ plan.build_id }}, {{ plan.build_id }})
    on conflict (model_name) do update set
        last_load_id = excluded.last_load_id,
        fingerprint = excluded.fingerprint
        {%- if plan.mode != 'none' %}, build_id = excluded.build_id{% endif %}
        {%- if plan.mode == 'full' %}, log_start = excluded.log_start
        {%- elif not has_readers() %}, log_start = {{ 'known' if plan.mode == 'none' else 'excluded' }}.build_id
        {%- endif %}
{%- endmacro %}

{#- One hash over the SQL and the seeds of the model and its ancestors, and over the vars it names. It goes no further than
    a model that is compared as a whole: what that one changes is noted row by row. -#}
{% macro model_fingerprint() -%}
    {%- set parts = [model.checksum.checksum, model.config.meta.affected | string] -%}
    {%- set found = {} -%}
    {%- set pending = model.depends_on.nodes | list if not affected().whole else [] -%}
    {%- for _ in range(10000) if pending -%}
        {%- set id = pending.pop() -%}
        {%- set node = graph.nodes.get(id) -%}
        {%- if node and id not in found and not affected(node).whole -%}
            {%- do found.update({id: true}) -%}
            {%- do parts.append(id ~ node.checksum.checksum) -%}
            {%- do pending.extend(node.depends_on.nodes) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in affected().vars -%}
        {%- do parts.append(name ~ '=' ~ var(name)) -%}
    {%- endfor -%}
    {{ return(local_md5(parts | sort | join('|'))) }}
{%- endmacro %}

{% macro model_key(node=none) -%}
    {{ return((node or model).schema ~ '.' ~ ((node or model).alias or (node or model).name)) }}
{%- endmacro %}
