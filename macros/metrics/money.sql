{#- An exact amount with room for fractions of a minor unit: rounded to cents only where a mart publishes it. -#}
{% macro type_money() -%}{{ adapter.dispatch('type_money', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_money() -%}numeric(38, 12){%- endmacro %}
