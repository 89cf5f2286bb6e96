{% test relationships_where(
    model, column_name, to, field, from_condition='1=1', to_condition='1=1'
) %}
    select left_table.id, right_table.id as right_id
    from (
        select {{ column_name }} as id from {{ model }}
        where {{ column_name }} is not null and {{ from_condition }}
    ) as left_table
    left join (
        select {{ field }} as id from {{ to }}
        where {{ field }} is not null and {{ to_condition }}
    ) as right_table
        on left_table.id = right_table.id
    where right_table.id is null
{% endtest %}
