{#- The day's rate; the reporting currency needs none, on any day. -#}
{% macro fx_rate(currency, rate) -%}
    case when {{ currency }} = '{{ var("reporting_currency") }}' then 1 else {{ rate }} end
{%- endmacro %}
