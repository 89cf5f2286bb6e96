{#- The incremental strategy: within the transaction of the build, the affected keys are deleted and inserted anew, and the
    keys of the rows that came, went or changed are noted for the models that read them. -#}

{% macro get_incremental_affected_keys_sql(arg_dict) -%}
    {%- set plan = build_plan() -%}
    {%- set stated = affected() -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | list -%}
    {%- if stated.whole -%}
        {%- set differing = rows_that_differ(columns, this, 'true', arg_dict['temp_relation'], 'true') -%}
        {%- do plan.update(stage_affected_keys(_key_query(differing))) -%}
    {%- endif -%}
    {%- if plan.mode == 'none' -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set replaced = rebuilt_condition(plan, stated) -%}
    {%- set made = 'true' if stated.finds_keys else replaced -%}
    {%- if has_readers() -%}
        {%- call statement('note') -%}
            insert into ops.replaced_keys (model_name, build_id, {{ stated.notes.keys() | join(', ') }})
            select distinct '{{ model_key() }}', {{ plan.build_id }}, {{ stated.notes.values() | join(', ') }}
            from ({{ rows_that_differ(
                columns | reject('in', stated.unnoted) | list, this, replaced, arg_dict['temp_relation'], made
            ) }}) as differing
        {%- endcall -%}
    {%- endif -%}
    {%- call statement('delete') -%}
        delete from {{ this }} where {{ replaced }}
    {%- endcall -%}
    {{ return(
        'insert into ' ~ this ~ ' (' ~ columns | join(', ') ~ ') select ' ~ columns | join(', ')
        ~ ' from ' ~ arg_dict['temp_relation'] ~ ' where ' ~ made
    ) }}
{%- endmacro %}

{#- Condition on the table's own columns: rows of affected keys. -#}
{% macro rebuilt_condition(plan, stated) -%}
    {%- set columns = {} -%}
    {%- for name in stated.key -%}
        {%- do columns.update({'day' if name == stated.day else name: name}) -%}
    {%- endfor -%}
    {{ return(key_condition(plan, columns, stated.near, 'is_rebuilt')) }}
{%- endmacro %}

{#- A query of the rows that are in one of two tables and not in the other. -#}
{% macro rows_that_differ(columns, first, first_where, second, second_where) -%}
    select {{ columns | join(', ') }}
    from (
        select {{ columns | join(', ') }}, 1 as side from {{ first }} where {{ first_where }}
        union all
        select {{ columns | join(', ') }}, -1 as side from {{ second }} where {{ second_where }}
    ) as sides
    group by {{ columns | join(', ') }}
    having sum(side) <> 0
{%- endmacro %}

{% macro _key_query(rows) -%}
    {%- set stated = affected() -%}
    select distinct
        {{ stated.key | reject('equalto', stated.day) | join(', ') }},
        {{ stated.day or 'cast(null as date)' }} as day,
        true as is_rebuilt
    from ({{ rows }}) as differing
{%- endmacro %}

{#- Whether an incremental model takes keys from this one's changes. -#}
{% macro has_readers() -%}
    {%- for node in graph.nodes.values() if model.unique_id in node.depends_on.nodes -%}
        {%- if node.config.materialized == 'incremental' and model.name in affected(node).through -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
