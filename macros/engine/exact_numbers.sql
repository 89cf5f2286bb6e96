{#- dbt warns of a contract's `numeric` without a precision, because elsewhere that rounds. Postgres keeps every digit,
    which is what the project wants: the same query without the warning. -#}
{% macro postgres__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        {%- set name = adapter.quote(column['name']) if column.get('quote') else column['name'] %}
        cast(null as {{ column['data_type'] }}) as {{ name }}
        {{- ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
