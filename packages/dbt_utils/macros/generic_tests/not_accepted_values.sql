{% test not_accepted_values(model, column_name, values, quote=true) %}
    select distinct {{ column_name }} as value_field
    from {{ model }}
    where {{ column_name }} in (
        {% for value in values -%}
        {{ "'" ~ value ~ "'" if quote else value }}{{ ', ' if not loop.last }}
        {%- endfor %}
    )
{% endtest %}
