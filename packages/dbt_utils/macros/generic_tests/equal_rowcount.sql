{% test equal_rowcount(model, compare_model) %}
    {{ config(fail_calc='sum(coalesce(diff_count, 0))') }}
    select abs(
        (select count(*) from {{ model }}) - (select count(*) from {{ compare_model }})
    ) as diff_count
{% endtest %}
