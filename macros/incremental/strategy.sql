{#- The incremental strategy: within the transaction of the build, the affected keys are deleted and inserted anew, and
    the keys of the rows that came, went or changed are noted for the models that read them. -#}

{% macro get_incremental_affected_keys_sql(arg_dict) -%}
    {%- set plan, stated, made = build_plan(), affected(), arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | list -%}
    {%- if stated.whole -%}
        {%- set keys -%}
            select distinct {{ stated.names }}, {{ stated.day or 'null' }} as day
            from ({{ rows_that_differ(columns, this, 'true', made, 'true') }}) as differing
        {%- endset -%}
        {%- do plan.update(stage_affected_keys(keys_and_what_they_read(keys))) -%}
    {%- endif -%}
    {%- if plan.mode == 'none' -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set written = 'true' if stated.finds_keys else is_rebuilt() -%}
    {%- if has_readers() -%}
        {%- call statement('note') -%}
            insert into ops.replaced_keys (model_name, build_id, {{ stated.notes.keys() | join(', ') }})
            select distinct '{{ model_key() }}', {{ plan.build_id }}, {{ stated.notes.values() | join(', ') }}
            from ({{ rows_that_differ(
                columns | reject('in', stated.unnoted) | list, this, is_rebuilt(), made, written
            ) }}) as differing
        {%- endcall -%}
    {%- endif -%}
    {%- call statement('delete') -%}
        delete from {{ this }} where {{ is_rebuilt() }}
    {%- endcall -%}
    {%- set names = columns | join(', ') -%}
    {{ return('insert into ' ~ this ~ ' (' ~ names ~ ') select ' ~ names ~ ' from ' ~ made ~ ' where ' ~ written) }}
{%- endmacro %}

{#- A query of the rows that are in one of two tables and not in the other. -#}
{% macro rows_that_differ(columns, first, first_where, second, second_where) -%}
    {%- set names = columns | join(', ') -%}
    select {{ names }}
    from (
        select {{ names }}, 1 as side from {{ first }} where {{ first_where }}
        union all
        select {{ names }}, -1 as side from {{ second }} where {{ second_where }}
    ) as sides
    group by {{ names }}
    having sum(side) <> 0
{%- endmacro %}
