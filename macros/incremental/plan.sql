{#- What one build of an incremental model does, decided once, before its SQL is rendered: everything anew, the affected
    keys, or nothing. docs/incremental.md says how a model states its key. A plan holds

        mode         full, keys or none
        build_id     number of this build: microseconds since 1970
        load_id      newest load that the model contains afterwards
        fingerprint  of the code and seeds
        upstreams    incremental models that are read, each with the number of its newest build
        key_table    scratch table of the affected keys
        days         days in it, as bounds that the planner sees -#}

{% macro build_plan() -%}
    {%- set node = graph.nodes[model.unique_id] -%}
    {%- if node.get('build_plan', {}).get('invocation_id') != invocation_id -%}
        {%- do check_affected() -%}
        {%- do node.update({'build_plan': _new_plan()}) -%}
    {%- endif -%}
    {{ return(node.build_plan) }}
{%- endmacro %}

{% macro _new_plan() -%}
    {%- set state = model_state() -%}
    {%- set plan = {
        'invocation_id': invocation_id,
        'mode': 'full',
        'build_id': state.build_id,
        'load_id': state.load_id,
        'fingerprint': model_fingerprint(),
        'upstreams': state.upstreams,
        'days': [],
    } -%}
    {%- if not _is_full_asked() and state.fingerprint == plan.fingerprint and state.is_whole -%}
        {%- if affected().whole -%}
            {%- do plan.update(mode='keys') -%}
        {%- elif not state.is_behind -%}
            {%- do plan.update(mode='none') -%}
        {%- else -%}
            {%- do plan.update(stage_affected_keys(affected_keys_query(state))) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(plan) }}
{%- endmacro %}

{% macro _is_full_asked() -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- set asked = flags.FULL_REFRESH if configured is none else configured -%}
    {%- set known = none if asked else load_relation(this) -%}
    {{ return(asked or known is none or not known.is_table) }}
{%- endmacro %}

{#- dbt's own questions, answered by the plan. -#}
{% macro should_full_refresh() -%}
    {{ return(build_plan().mode == 'full' if is_by_affected_keys() else flags.FULL_REFRESH) }}
{%- endmacro %}

{% macro is_incremental() -%}
    {{ return(is_by_affected_keys() and build_plan().mode != 'full') }}
{%- endmacro %}

{#- Only a build has a plan: `dbt compile` and the docs show the SQL of a full refresh. -#}
{% macro is_by_affected_keys() -%}
    {{ return(
        execute
        and invocation_args_dict.which in ('run', 'build', 'retry')
        and model.resource_type == 'model'
        and config.get('materialized') == 'incremental'
    ) }}
{%- endmacro %}

{#- What is remembered of the model's builds. An engine that remembers nothing builds everything anew. -#}
{% macro model_state() -%}
    {{ return(adapter.dispatch('model_state', 'tallyhouse')()) }}
{%- endmacro %}

{% macro spark__model_state() -%}
    {{ return({'build_id': 0, 'load_id': 0, 'upstreams': {}, 'is_whole': false}) }}
{%- endmacro %}

{% macro duckdb__model_state() -%}{{ return(spark__model_state()) }}{%- endmacro %}

{% macro default__model_state() -%}
    {%- set sources = affected().through -%}
    {%- set names = {} -%}
    {%- for node in incremental_refs() -%}
        {%- do names.update({model_key(node): node.name}) -%}
    {%- endfor -%}
    {%- set query -%}
        select
            bounds.load_id,
            own.last_load_id,
            own.build_id,
            own.fingerprint,
            upstreams.model_name,
            upstreams.last_load_id,
            upstreams.build_id,
            reads.build_id,
            coalesce(reads.build_id >= upstreams.log_start, false)
        from (
            select coalesce(
                (select last_load_id from ops.build_bounds where invocation_id = '{{ invocation_id }}'),
                (select max(load_id) from {{ source('ops', 'load_manifest') }}),
                0
            ) as load_id
        ) as bounds
        left join ops.model_watermarks as own on own.model_name = '{{ model_key() }}'
        left join ops.model_watermarks as upstreams on upstreams.model_name in ('{{ names | join("', '") }}')
        left join ops.model_reads as reads
            on reads.model_name = own.model_name and reads.upstream_name = upstreams.model_name
    {%- endset -%}
    {%- set now = (modules.datetime.datetime.now(modules.pytz.utc).timestamp() * 1000000) | int -%}
    {%- set state = {'upstreams': {}, 'seen': {}, 'is_whole': true, 'is_behind': false} -%}
    {%- for load_id, own_load_id, own_build_id, fingerprint, name, upstream_load_id, build_id, seen, is_whole
        in run_query(query).rows -%}
        {%- if loop.first -%}
            {%- do state.update(
                load_id=load_id | int,
                loaded=own_load_id | int,
                build_id=[now, (own_build_id or 0) | int + 1] | max,
                fingerprint=fingerprint,
                is_behind='loads' in sources and load_id > (own_load_id or 0),
            ) -%}
        {%- endif -%}
        {%- if name -%}
            {%- do state.upstreams.update({name: build_id | int}) -%}
            {%- do state.seen.update({name: (seen or 0) | int}) -%}
            {%- do state.update(load_id=[state.load_id, upstream_load_id | int] | min) -%}
            {%- if names[name] in sources -%}
                {%- do state.update(
                    is_whole=state.is_whole and is_whole,
                    is_behind=state.is_behind or build_id != seen,
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do state.update(is_whole=state.is_whole and state.upstreams | length == names | length) -%}
    {{ return(state) }}
{%- endmacro %}
