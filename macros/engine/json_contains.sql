{#- True where the first JSON value holds all that the second one says: objects member by member, arrays
    element by element. Null when either is null. -#}
{% macro json_contains(whole, part) -%}
    {{ adapter.dispatch('json_contains', 'tallyhouse')(whole, part) }}
{%- endmacro %}

{% macro default__json_contains(whole, part) -%}
    ({{ whole }} @> {{ part }})
{%- endmacro %}

{% macro duckdb__json_contains(whole, part) -%}
    json_contains({{ whole }}, {{ part }})
{%- endmacro %}
