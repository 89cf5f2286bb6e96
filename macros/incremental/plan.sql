{#- What one build of an incremental model does, decided once, before its SQL is rendered: everything anew, the affected
    keys, or nothing. docs/incremental.md says how a model states its key. A plan holds

        mode         full, keys or none
        build_id     number of this build: microseconds since 1970
        load_id      newest load that the model contains afterwards
        fingerprint  of the code and seeds
        upstreams    incremental models that are read, each with the number of its newest build
        key_table    scratch table of the affected keys
        days         days in it, as bounds that the planner sees
        count        how many keys these are -#}

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
    {%- set asked = flags.FULL_REFRESH if config.get('full_refresh') is none else config.get('full_refresh') -%}
    {%- set known = load_relation(this) -%}
    {%- if not asked and known and known.is_table and state.fingerprint == plan.fingerprint and state.is_whole -%}
        {%- if affected().whole -%}
            {%- do plan.update(mode='keys') -%}
        {%- elif not state.is_behind and not var('rebuilt_days') -%}
            {%- do plan.update(mode='none') -%}
        {%- else -%}
            {%- do plan.update(stage_affected_keys(affected_keys_query(state))) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(plan) }}
{%- endmacro %}

{#- dbt's own questions, answered by the plan. Only a build has one: `dbt compile` and the docs show a full refresh. -#}
{% macro should_full_refresh() -%}
    {{ return(build_plan().mode == 'full' if is_planned() else flags.FULL_REFRESH) }}
{%- endmacro %}

{% macro is_incremental() -%}
    {{ return(is_planned() and build_plan().mode != 'full') }}
{%- endmacro %}

{% macro is_planned() -%}
    {{ return(
        execute
        and invocation_args_dict.which in ('run', 'build', 'retry')
        and model.resource_type == 'model'
        and config.get('materialized') == 'incremental'
    ) }}
{%- endmacro %}

{#- One hash over the SQL and the seeds of the model and its ancestors, over the vars it names and over an as_of
    that cuts what staging shows; what was built with --empty holds nothing that another build could add to. It goes no
    further than a model that is compared as a whole: what that one changes is noted row by row. -#}
{% macro model_fingerprint() -%}
    {%- set parts = [model.checksum.checksum, model.config.meta.affected | string] -%}
    {%- set found = {} -%}
    {%- set pending = [] if affected().whole else model.depends_on.nodes | list -%}
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
    {%- if cut_as_of() -%}
        {%- do parts.append('as_of=' ~ cut_as_of()) -%}
    {%- endif -%}
    {%- if flags.EMPTY -%}
        {%- do parts.append('empty') -%}
    {%- endif -%}
    {{ return(local_md5(parts | sort | join('|'))) }}
{%- endmacro %}
