{#- Hour of the day (0 to 23) of a wall-clock time; month of the year (1 to 12) of a date. -#}
{% macro hour_of_day(local_time) -%}cast(extract(hour from {{ local_time }}) as integer){%- endmacro %}
{% macro calendar_year(day) -%}cast(extract(year from {{ day }}) as integer){%- endmacro %}
{% macro month_of_year(day) -%}cast(extract(month from {{ day }}) as integer){%- endmacro %}
