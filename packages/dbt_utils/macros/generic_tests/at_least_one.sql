{% test at_least_one(model, column_name, group_by_columns=[]) %}
    {%- set keys = group_by_columns | join(', ') -%}
    select {{ keys ~ ', ' if keys }}count({{ column_name }}) as filled_count
    from {{ model }}
    {{ 'group by ' ~ keys if keys }}
    having count({{ column_name }}) = 0
{% endtest %}
