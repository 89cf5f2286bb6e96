{# Every date part from start_date to before end_date; the work is dbt's own macro of that name. #}
{% macro date_spine(datepart, start_date, end_date) %}
    {{- return(adapter.dispatch('date_spine', 'dbt_utils')(datepart, start_date, end_date)) -}}
{% endmacro %}

{% macro default__date_spine(datepart, start_date, end_date) %}
    {{- dbt.date_spine(datepart, start_date, end_date) -}}
{% endmacro %}
