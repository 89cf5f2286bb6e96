{#- So many of a price in a currency, as one value: what an invoice billed is what that costs. -#}
{% macro billed_price_key(price_key, quantity, currency) -%}
    {{ price_key }} || '|' || cast({{ quantity }} as {{ type_string() }}) || '|' || {{ currency }}
{%- endmacro %}
