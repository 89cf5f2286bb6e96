{#- When somebody builds a part by hand in a warehouse with loads that were not built: say which models that the part
    reads do not hold them, and what to select. The rows are right for what the parents hold, and the next build mends
    them; but two tables of different loads need not agree, and a test that compares them fails. -#}
{% macro tell_lagging_parents() -%}
    {{ return(adapter.dispatch('tell_lagging_parents', 'tallyhouse')()) }}
{%- endmacro %}

{% macro duckdb__tell_lagging_parents() -%}{%- endmacro %}
{% macro spark__tell_lagging_parents() -%}{%- endmacro %}

{% macro default__tell_lagging_parents() -%}
    {%- set chosen = [] -%}
    {%- for node_id in selected_resources if execute and node_id.startswith('model.') -%}
        {%- do chosen.append(node_id) -%}
    {%- endfor -%}
    {%- if chosen and flags.WHICH in ('build', 'run') and _is_any_behind() -%}
        {%- set parents, below = {}, {} -%}
        {%- for node_id in chosen -%}
            {%- set unselected = [] -%}
            {%- do _climb(node_id, chosen, {}, unselected) -%}
            {%- do below.update({node_id: unselected}) -%}
            {%- for parent_id in unselected -%}{%- do parents.update({parent_id: true}) -%}{%- endfor -%}
        {%- endfor -%}
        {%- set lagging = _lagging(parents.keys() | list) -%}
        {%- if lagging -%}
            {%- set ends = [] -%}
            {%- for node_id in chosen -%}
                {%- if below[node_id] | select('in', lagging) | list -%}
                    {%- do ends.append('+' ~ graph.nodes[node_id].name) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set near, names = [], [] -%}
            {%- for node_id in chosen -%}{%- do near.extend(graph.nodes[node_id].depends_on.nodes) -%}{%- endfor -%}
            {%- for node_id in (lagging | select('in', near) | list) + (lagging | reject('in', near) | list) -%}
                {%- do names.append(graph.nodes[node_id].name) -%}
            {%- endfor -%}
            {%- set rest = names | length - 5 -%}
            {%- set shown = names[:5] | join(', ') ~ (' and ' ~ rest ~ ' more' if rest > 0 else '') -%}
            {%- do exceptions.warn(
                'What is selected reads ' ~ shown ~ ', built before the newest load came: the rows will not hold that'
                ~ ' load, and tests that compare tables may fail. Build them too, '
                ~ ('by --select ' ~ ends | join(' ') if ends | length <= 5 else 'by a + before each name')
                ~ ', or all that is due by `tallyhouse run`.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether an incremental model does not hold the newest load: after a whole run none does not. -#}
{% macro _is_any_behind() -%}
    {{ return(run_query(
        'select 1 as found from ops.model_watermarks where last_load_id < ' ~ newest_load() ~ ' limit 1'
    ).rows | length > 0) }}
{%- endmacro %}

{#- Append to `unselected` the models before a node that hold rows and are not chosen, each once (`seen`). -#}
{% macro _climb(node_id, chosen, seen, unselected) -%}
    {%- for parent_id in graph.nodes[node_id].depends_on.nodes if parent_id not in seen -%}
        {%- do seen.update({parent_id: true}) -%}
        {%- if parent_id in graph.nodes and parent_id.startswith('model.') -%}
            {%- set parent = graph.nodes[parent_id] -%}
            {%- if parent_id not in chosen and parent.config.materialized not in ('view', 'ephemeral') -%}
                {%- do unselected.append(parent_id) -%}
            {%- endif -%}
            {%- do _climb(parent_id, chosen, seen, unselected) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- Those of the models that were built before a load came which changed a source that they stand on. -#}
{% macro _lagging(model_ids) -%}
    {%- set loaded, built, lagging = {}, {}, [] -%}
    {%- for row in run_query("
        select source_kind, max(loaded_at) as loaded_at
        from ops.load_manifest
        where stored_count + replaced_count + withdrawn_count > 0
        group by source_kind
        union all
        select 'cdc.' || touched.entity_id, max(loads.loaded_at)
        from ops.load_touched as touched
        inner join ops.load_manifest as loads on touched.load_id = loads.load_id
        where touched.entity_type = 'cdc_table'
        group by touched.entity_id
    ").rows -%}
        {%- do loaded.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {%- for row in run_query('select node_id, built_at from ops.node_builds where inputs is not null').rows -%}
        {%- do built.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {%- for model_id in model_ids if model_id in built -%}
        {%- set sources = {} -%}
        {%- do _sources_of(model_id, {}, sources) -%}
        {%- for source_id in sources -%}
            {%- set source = graph.sources[source_id] -%}
            {%- set key = source.schema | replace('raw_', '') -%}
            {%- set key = 'cdc.' ~ (source.identifier | replace('_history', '')) if key == 'cdc' else key -%}
            {%- if key in loaded and loaded[key] > built[model_id] and model_id not in lagging -%}
                {%- do lagging.append(model_id) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(lagging) }}
{%- endmacro %}

{% macro _sources_of(node_id, seen, sources) -%}
    {%- for parent_id in graph.nodes[node_id].depends_on.nodes if parent_id not in seen -%}
        {%- do seen.update({parent_id: true}) -%}
        {%- if parent_id in graph.sources -%}
            {%- do sources.update({parent_id: true}) -%}
        {%- elif parent_id in graph.nodes -%}
            {%- do _sources_of(parent_id, seen, sources) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
