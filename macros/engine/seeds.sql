{#- Rows of a seed, a column a parameter: as a list of values of rows, the exchange rates took 30 s. -#}
{% macro postgres__load_csv_rows(model, agate_table) %}
    {%- set column_types = model['config'].get('column_types', {}) -%}
    {%- set columns = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
    {%- set parameters, bindings = [], [] -%}
    {%- for column in agate_table.columns -%}
        {%- set inferred_type = adapter.convert_type(agate_table, loop.index0) -%}
        {%- do parameters.append('cast(%s as ' ~ column_types.get(column.name, inferred_type) ~ '[])') -%}
        {%- do bindings.append(column.values() | list) -%}
    {%- endfor -%}
    {%- set sql -%}
        insert into {{ this.render() }} ({{ columns }})
        select {{ columns }} from unnest({{ parameters | join(', ') }}) as given ({{ columns }})
    {%- endset -%}
    {%- if agate_table.rows | length > 0 -%}
        {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%}
    {%- endif -%}
    {{ return(sql) }}
{% endmacro %}
