{#- Whose a record of a provider of payments is, in the words of ops.load_touched: a customer of one of its accounts;
    what is of no customer is together. -#}
{% macro billing_entity(provider, account, customer) -%}
    '{{ provider }}:' || {{ account }} || ':' || coalesce({{ customer }}, '')
{%- endmacro %}
