{#- Reading and building JSON. `path` is a word or a list of words and array positions. -#}

{#- The value at the path as text; null when it is absent or a JSON null. -#}
{% macro json_text(column, path) -%}
    {{ adapter.dispatch('json_text', 'tallyhouse')(column, [path] if path is string else path) }}
{%- endmacro %}

{% macro default__json_text(column, path) -%}
    {%- if path | length == 1 and path[0] is string -%}
        ({{ column }} ->> '{{ path[0] }}')
    {%- else -%}
        ({{ column }} #>> array['{{ path | join("', '") }}'])
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__json_text(column, path) -%}
    json_extract_string({{ column }}, '{{ _json_path(path) }}')
{%- endmacro %}

{% macro spark__json_text(column, path) -%}
    get_json_object({{ column }}, '{{ _json_path(path) }}')
{%- endmacro %}

{#- The value at the path as JSON. -#}
{% macro json_value(column, path) -%}
    {{ adapter.dispatch('json_value', 'tallyhouse')(column, [path] if path is string else path) }}
{%- endmacro %}

{% macro default__json_value(column, path) -%}
    ({{ column }} #> array['{{ path | join("', '") }}'])
{%- endmacro %}

{% macro duckdb__json_value(column, path) -%}
    json_extract({{ column }}, '{{ _json_path(path) }}')
{%- endmacro %}

{% macro spark__json_value(column, path) -%}
    get_json_object({{ column }}, '{{ _json_path(path) }}')
{%- endmacro %}

{#- The value at the path as an exact number; null when it is no number. -#}
{% macro json_number(column, path) -%}
    {%- set text = json_text(column, path) -%}
    case when {{ matches(text, '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$') }}
        then cast({{ text }} as {{ type_numeric() }}) end
{%- endmacro %}

{#- The value at the path as a whole number of up to 18 digits; null when it is none. -#}
{% macro json_integer(column, path) -%}
    {%- set text = json_text(column, path) -%}
    case when {{ matches(text, '^[+-]?[0-9]{1,18}$') }} then cast({{ text }} as bigint) end
{%- endmacro %}

{#- The value at the path as a boolean; null when it is neither true nor false. -#}
{% macro json_boolean(column, path) -%}
    case lower({{ json_text(column, path) }}) when 'true' then true when 'false' then false end
{%- endmacro %}

{#- A join clause that opens the JSON array at `path` of `column`: one row per element, with `<alias>.value` (JSON)
    and `<alias>.position` (from 1). With outer=true a row without elements stays, with nulls. -#}
{% macro json_array_lateral(column, path, alias, outer=false) -%}
    {{ adapter.dispatch('json_array_lateral', 'tallyhouse')(column, [path] if path is string else path, alias, outer) }}
{%- endmacro %}

{% macro default__json_array_lateral(column, path, alias, outer) -%}
    {%- set array = json_value(column, path) if path else column -%}
    {{ 'left' if outer else 'cross' }} join lateral jsonb_array_elements(
        case when jsonb_typeof({{ array }}) = 'array' then {{ array }} else cast('[]' as jsonb) end
    ) with ordinality as {{ alias }} (value, position){{ ' on true' if outer }}
{%- endmacro %}

{% macro duckdb__json_array_lateral(column, path, alias, outer) -%}
    {%- set array = json_value(column, path) if path else column -%}
    {{ 'left' if outer else 'cross' }} join lateral (
        select
            unnest(from_json({{ array }}, '["json"]')) as value,
            generate_subscripts(from_json({{ array }}, '["json"]'), 1) as position
    ) as {{ alias }}{{ ' on true' if outer }}
{%- endmacro %}

{% macro spark__json_array_lateral(column, path, alias, outer) -%}
    {%- set array = json_value(column, path) if path else column -%}
    lateral view {{ 'outer' if outer }}
        posexplode(from_json({{ array }}, 'array<string>')) {{ alias }} as position, value
{%- endmacro %}

{#- The elements of a JSON object: one row per key, `<alias>.key` (text) and `<alias>.value` (JSON). -#}
{% macro json_object_lateral(column, alias) -%}
    {{ adapter.dispatch('json_object_lateral', 'tallyhouse')(column, alias) }}
{%- endmacro %}

{% macro default__json_object_lateral(column, alias) -%}
    cross join lateral jsonb_each(
        case when jsonb_typeof({{ column }}) = 'object' then {{ column }} else cast('{}' as jsonb) end
    ) as {{ alias }} (key, value)
{%- endmacro %}

{#- A JSON object of names and SQL expressions: json_build({'reason': "'late'", 'days': 'late_days'}). -#}
{% macro json_build(members) -%}
    {{ adapter.dispatch('json_build', 'tallyhouse')(members) }}
{%- endmacro %}

{% macro default__json_build(members) -%}
    jsonb_build_object(
        {%- for name, expression in members.items() -%}
            '{{ name }}', {{ expression }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{% macro duckdb__json_build(members) -%}
    json_object(
        {%- for name, expression in members.items() -%}
            '{{ name }}', {{ expression }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{% macro spark__json_build(members) -%}
    to_json(named_struct(
        {%- for name, expression in members.items() -%}
            '{{ name }}', {{ expression }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    ))
{%- endmacro %}

{#- The first JSON object with the members of the second one over its own; null when either is null. -#}
{% macro json_merge(whole, part) -%}
    {{ adapter.dispatch('json_merge', 'tallyhouse')(whole, part) }}
{%- endmacro %}

{% macro default__json_merge(whole, part) -%}
    ({{ whole }} || {{ part }})
{%- endmacro %}

{% macro duckdb__json_merge(whole, part) -%}
    json_merge_patch({{ whole }}, {{ part }})
{%- endmacro %}

{#- Of a member that is there twice Spark reads the first. -#}
{% macro spark__json_merge(whole, part) -%}
    concat('{', regexp_replace({{ part }}, '^[{]|[}]$', ''), ',', regexp_replace({{ whole }}, '^[{]|[}]$', ''), '}')
{%- endmacro %}

{#- Aggregate: a JSON array of the expression, in the order given, without nulls. -#}
{% macro json_array_agg(expression, order_by) -%}
    {{ adapter.dispatch('json_array_agg', 'tallyhouse')(expression, order_by) }}
{%- endmacro %}

{% macro default__json_array_agg(expression, order_by) -%}
    coalesce(
        jsonb_agg({{ expression }} order by {{ order_by }}) filter (where {{ expression }} is not null),
        cast('[]' as jsonb)
    )
{%- endmacro %}

{% macro duckdb__json_array_agg(expression, order_by) -%}
    coalesce(
        to_json(list({{ expression }} order by {{ order_by }}) filter (where {{ expression }} is not null)),
        cast('[]' as json)
    )
{%- endmacro %}

{#- $.a.b[0] for the engines that read paths so. -#}
{% macro _json_path(path) -%}
    ${% for step in path %}{% if step is number %}[{{ step }}]{% else %}."{{ step }}"{% endif %}{% endfor %}
{%- endmacro %}
