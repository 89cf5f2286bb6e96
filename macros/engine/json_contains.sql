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

{#- Spark has no such test. Members of the outer object are compared as text, so a nested object must be equal as a
    whole there, where the others let it hold more. -#}
{% macro spark__json_contains(whole, part) -%}
    forall(
        map_entries(from_json({{ part }}, 'map<string, string>')),
        member -> from_json({{ whole }}, 'map<string, string>')[member.key] <=> member.value
    )
{%- endmacro %}
