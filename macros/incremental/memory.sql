{#- What is remembered of builds, in tables of tallyhouse/ops_schema.py that are written in each build's transaction:

        ops.build_bounds      newest load when a run of dbt began: no model claims a later one
        ops.model_watermarks  what a model contains: newest load, code, seeds, newest build that changed rows, and the
                              build since which the log of its changes is complete
        ops.model_reads       newest build of each upstream model whose changes a model has taken over
        ops.replaced_keys     the log: for each build of a model the keys of the rows that came, went or changed

    An engine without these tables remembers nothing and builds everything anew. -#}

{% macro model_key(node=none) -%}
    {%- set node = node or model -%}
    {{ return(node.schema ~ '.' ~ (node.alias or node.name)) }}
{%- endmacro %}

{#- The newest load, of files or of stored changes that a load decoded by a changed contract: that one has no file. -#}
{% macro newest_load() -%}
    greatest((select max(load_id) from ops.load_manifest), (select max(load_id) from ops.load_touched))
{%- endmacro %}

{#- What is known before a build: `seen` are the builds of upstream models that are taken over, `is_whole` whether their
    logs reach back to there, `is_behind` whether anything came since. -#}
{% macro model_state() -%}
    {{ return(adapter.dispatch('model_state', 'tallyhouse')()) }}
{%- endmacro %}

{% macro duckdb__model_state() -%}
    {{ return({'build_id': 0, 'load_id': 0, 'upstreams': {}, 'is_whole': false}) }}
{%- endmacro %}

{% macro spark__model_state() -%}{{ return(duckdb__model_state()) }}{%- endmacro %}

{% macro default__model_state() -%}
    {%- set sources = affected().through -%}
    {%- set names = {} -%}
    {%- for node in incremental_refs() -%}
        {%- do names.update({model_key(node): node.name}) -%}
    {%- endfor -%}
    {%- set rows = run_query("
        select
            bounds.load_id,
            own.last_load_id as own_load_id,
            own.build_id as own_build_id,
            own.fingerprint,
            upstreams.model_name,
            upstreams.last_load_id,
            upstreams.build_id,
            coalesce(reads.build_id, 0) as seen,
            coalesce(reads.build_id >= upstreams.log_start, false) as is_whole
        from (
            select coalesce(
                (select last_load_id from ops.build_bounds where invocation_id = '" ~ invocation_id ~ "'),
                " ~ newest_load() ~ ",
                0
            ) as load_id
        ) as bounds
        left join ops.model_watermarks as own on own.model_name = '" ~ model_key() ~ "'
        left join ops.model_watermarks as upstreams on upstreams.model_name in ('" ~ names | join("', '") ~ "')
        left join ops.model_reads as reads
            on reads.model_name = own.model_name and reads.upstream_name = upstreams.model_name
    ").rows -%}
    {%- set own = rows[0] -%}
    {%- set now = (modules.datetime.datetime.now(modules.pytz.utc).timestamp() * 1000000) | int -%}
    {%- set state = {
        'build_id': [now, (own.own_build_id or 0) | int + 1] | max,
        'load_id': own.load_id | int,
        'loaded': (own.own_load_id or 0) | int,
        'fingerprint': own.fingerprint,
        'upstreams': {},
        'seen': {},
        'is_whole': true,
        'is_behind': 'loads' in sources and own.load_id > (own.own_load_id or 0),
    } -%}
    {%- for row in rows if row.model_name -%}
        {%- do state.upstreams.update({row.model_name: row.build_id | int}) -%}
        {%- do state.seen.update({row.model_name: row.seen | int}) -%}
        {%- do state.update(load_id=[state.load_id, row.last_load_id | int] | min) -%}
        {%- if names[row.model_name] in sources -%}
            {%- do state.update(
                is_whole=state.is_whole and row.is_whole, is_behind=state.is_behind or row.build_id != row.seen
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do state.update(is_whole=state.is_whole and state.upstreams | length == names | length) -%}
    {{ return(state) }}
{%- endmacro %}

{#- Once per run: its bound; and the log without what every reader has passed or what is older than 30 days (a reader
    that stood still for so long is rebuilt in full). -#}
{% macro begin_build() -%}
    {{ return(adapter.dispatch('begin_build', 'tallyhouse')()) }}
{%- endmacro %}

{% macro duckdb__begin_build() -%}{%- endmacro %}
{% macro spark__begin_build() -%}{%- endmacro %}

{% macro default__begin_build() -%}
    {%- if execute -%}
        {%- set month = 30 * 86400 * 1000000 -%}
        {%- set old = (modules.datetime.datetime.now(modules.pytz.utc).timestamp() * 1000000) | int - month -%}
        {%- call statement('forget_bounds') -%}
            delete from ops.build_bounds where began_at < now() - interval '7 days'
        {%- endcall -%}
        {%- call statement('forget_log') -%}
            update ops.model_watermarks as logged
            set log_start = old.build_id
            from (
                select model_name, max(build_id) as build_id
                from ops.replaced_keys
                where build_id <= {{ old }}
                group by model_name
            ) as old
            where logged.model_name = old.model_name and logged.log_start < old.build_id
        {%- endcall -%}
        {%- call statement('purge_log') -%}
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
        select '{{ invocation_id }}', coalesce({{ newest_load() }}, 0)
        on conflict (invocation_id) do nothing
    {%- endif -%}
{%- endmacro %}

{#- Post-hook of every model: what it now contains. -#}
{% macro record_load_watermark() -%}
    {%- if is_planned() -%}
        {{ adapter.dispatch('record_load_watermark', 'tallyhouse')() }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__record_load_watermark() -%}{%- endmacro %}
{% macro spark__record_load_watermark() -%}{%- endmacro %}

{% macro default__record_load_watermark() -%}
    {%- set plan = build_plan() -%}
    {%- do check_built() if plan.mode == 'full' -%}
    {%- if plan.upstreams -%}
        {%- call statement('reads') -%}
            insert into ops.model_reads (model_name, upstream_name, build_id) values
            {% for name, build_id in plan.upstreams.items() -%}
                ('{{ model_key() }}', '{{ name }}', {{ build_id }}){{ ', ' if not loop.last }}
            {%- endfor %}
            on conflict (model_name, upstream_name) do update set build_id = excluded.build_id
        {%- endcall -%}
    {%- endif -%}
    {%- set history = history_columns() %}
    insert into ops.model_watermarks as known (
        model_name, last_load_id, fingerprint, build_id, log_start, history_columns, cut_as_of
    )
    values (
        '{{ model_key() }}', {{ plan.load_id }}, '{{ plan.fingerprint }}', {{ plan.build_id }}, {{ plan.build_id }},
        {{ "'" ~ history ~ "'" if history else 'null' }}, {{ "'" ~ cut_as_of() ~ "'" if cut_as_of() else 'null' }}
    )
    on conflict (model_name) do update set
        last_load_id = excluded.last_load_id,
        fingerprint = excluded.fingerprint,
        history_columns = excluded.history_columns,
        cut_as_of = excluded.cut_as_of
        {%- if plan.mode != 'none' %}, build_id = excluded.build_id{% endif %}
        {%- if plan.mode == 'full' %}, log_start = excluded.log_start
        {%- elif not has_readers() %}, log_start = {{ 'known' if plan.mode == 'none' else 'excluded' }}.build_id
        {%- endif %}
{%- endmacro %}
