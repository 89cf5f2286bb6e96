{#- An exact amount with room for fractions of a minor unit: rounded to cents only where a mart publishes it. -#}
{% macro type_money() -%}{{ adapter.dispatch('type_money', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_money() -%}numeric(38, 12){%- endmacro %}

{#- The same as a fact publishes it: to a millionth of a minor unit, in a type that BI tools can show. -#}
{% macro published_money(amount) -%}cast(round({{ amount }}, 6) as numeric(24, 6)){%- endmacro %}
