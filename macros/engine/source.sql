{#- A table of a source, as staging reads it. Where somebody says as of when the marts shall speak (var as_of,
    TALLYHOUSE_AS_OF) and more was loaded, it is what was known then: nothing that came or happened later, and of a
    table of change data the rows that lived then. So no model after staging can show what lies after it (rule 67).
    Otherwise, and outside of models, it is the table itself. -#}
{% macro source(source_name, table_name) -%}
    {%- set relation = builtins.source(source_name, table_name) -%}
    {%- if execute and model is defined and model.resource_type == 'model' and cut_as_of() -%}
        {{ return(known_rows(relation, timestamp_literal(cut_as_of()))) }}
    {%- endif -%}
    {{ return(without_alias(relation)) }}
{%- endmacro %}

{#- The as_of that somebody gave, where something that was loaded lies after it; else empty. Asked once per run. -#}
{% macro cut_as_of() -%}
    {%- if not given_as_of() -%}{{ return('') }}{%- endif -%}
    {%- set held = graph.get('cut_as_of', {}) -%}
    {%- if held.get('invocation_id') != invocation_id -%}
        {%- set is_cut = run_query(
            'select ' ~ lies_after(timestamp_literal(given_as_of())) ~ ' as is_cut'
        ).columns[0].values()[0] -%}
        {%- set held = {'invocation_id': invocation_id, 'moment': given_as_of() if is_cut else ''} -%}
        {%- do graph.update({'cut_as_of': held}) -%}
    {%- endif -%}
    {{ return(held.moment) }}
{%- endmacro %}

{#- Whether something was loaded that came after a moment, or that a device dates after it. -#}
{% macro lies_after(moment) -%}
    (
        exists (
            select 1 from ops.source_watermarks
            where max_received_at > {{ moment }} or max_claimed_at > {{ moment }}
        )
        or exists (
            select 1 from raw_events.events
            where event_date >= {{ local_date(moment, "'UTC'") }} and occurred_at > {{ moment }}
        )
    )
{%- endmacro %}

{#- By schema, the columns that say when a record came and when it happened; change data has its history, and what runs
    note of themselves speaks of no source. -#}
{% macro known_by() -%}
    {{ return({
        'raw_events': ['received_at', 'occurred_at'],
        'raw_stripe': ['received_at', 'created_at'],
        'raw_revenuecat': ['received_at', 'occurred_at'],
        'raw_cdc': ['valid_from'],
        'raw_cdc.changes': ['committed_at'],
        'ml.predictions': ['prediction_at'],
        'ml.predictive_models': ['trained_at'],
        'ml.feature_drift': ['measured_at'],
        'ops': [],
        'governance': [],
    }) }}
{%- endmacro %}

{% macro known_rows(relation, moment) -%}
    {%- set times = known_by().get(relation.schema ~ '.' ~ relation.identifier, known_by().get(relation.schema)) -%}
    {%- if times is none -%}
        {{ exceptions.raise_compiler_error(
            "Nobody says by which column of " ~ relation ~ " one knows what was known as of a moment. Name it in"
            ~ " known_by (macros/engine/source.sql)."
        ) }}
    {%- elif not times -%}
        {{ return(relation) }}
    {%- elif times == ['valid_from'] -%}
        {{ return(known_versions(relation, moment)) }}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- for name in column_names(relation) -%}
        {%- if name in ('actual_outcome', 'outcome_known_at') -%}
            {%- do columns.append('case when outcome_known_at <= ' ~ moment ~ ' then ' ~ name ~ ' end as ' ~ name) -%}
        {%- else -%}
            {%- do columns.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set known = times | join(' <= ' ~ moment ~ ' and ') ~ ' <= ' ~ moment -%}
    {{ return('(select ' ~ columns | join(', ') ~ ' from ' ~ relation ~ ' where ' ~ known ~ ') as known') }}
{%- endmacro %}

{#- Rows of a table of change data as they lived at a moment, or the versions begun by then; a version that ended later
    has not ended. -#}
{% macro known_versions(relation, moment) -%}
    {%- set is_history = relation.identifier.endswith('_history') -%}
    {%- set history = relation if is_history else api.Relation.create(
        database=relation.database, schema=relation.schema, identifier=relation.identifier ~ '_history'
    ) -%}
    {%- set is_open = '(valid_to is null or valid_to > ' ~ moment ~ ')' -%}
    {%- set as_known = {
        'valid_to': 'case when not ' ~ is_open ~ ' then valid_to end as valid_to',
        'is_current': is_open ~ ' as is_current',
        'is_deleted': '(is_deleted and not ' ~ is_open ~ ') as is_deleted',
    } -%}
    {%- set columns = [] -%}
    {%- for name in column_names(relation) -%}
        {%- do columns.append(as_known.get(name, adapter.quote(name)) if is_history else adapter.quote(name)) -%}
    {%- endfor -%}
    {{ return(
        '(select ' ~ columns | join(', ') ~ ' from ' ~ history ~ ' where valid_from <= ' ~ moment
        ~ ('' if is_history else ' and ' ~ is_open) ~ ') as known'
    ) }}
{%- endmacro %}

{% macro column_names(relation) -%}
    {{ return(adapter.get_columns_in_relation(relation) | map(attribute='name') | list) }}
{%- endmacro %}
