{#- Aggregate over the versions of an object: the value in the first version that has one. -#}
{% macro first_named(expression, version_number='version_number') -%}
    {{ earliest_by(expression, "case when " ~ expression ~ " is null then 1000000000 else 0 end + " ~ version_number) }}
{%- endmacro %}
