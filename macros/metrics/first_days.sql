{#- Affected keys of int_engagement__users: users with the days on which their activity changed. -#}
{% macro changed_user_days(changes) -%}
    select tenant_id, user_id, local_day as day from ({{ changes }}) as changed
{%- endmacro %}
