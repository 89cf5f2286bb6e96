{#- Whether a day of a tenant is among the closed ones, which are ranges of days. -#}
{% macro is_closed_day(product, tenant_id, day) -%}
    exists (
            select 1 from ops.closed_days as closed
            where closed.product = {{ product }} and closed.tenant_id = {{ tenant_id }} and closed.days @> {{ day }}
        )
{%- endmacro %}

{#- A query of the newest closed day as text, empty where no day is closed. -#}
{% macro newest_closed_day() -%}
    select coalesce(cast(max(upper(days)) - 1 as text), '') as day from ops.closed_days
{%- endmacro %}
