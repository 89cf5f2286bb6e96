{#- A snapshot's own clock is an instant, like every other time of the house; dbt's default drops the zone. -#}
{% macro postgres__snapshot_get_time() -%}
    {{ current_timestamp() }}
{%- endmacro %}
