{#- One of Stripe's ids as one value: an id is its account's alone. -#}
{% macro stripe_key(account, source_id) -%}
    {{ account }} || '|' || {{ source_id }}
{%- endmacro %}
