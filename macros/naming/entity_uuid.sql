{#- The id of an entity as a UUID: a source id that is a UUID already stays (lower case); any other becomes the
    md5 of `product|kind|source id`. The same as ingestion/values/identity.py. `product` and `kind` are words;
    `source_id` is an SQL expression; so is `product` when `product_is_expression` is true. -#}
{% macro entity_uuid(product, kind, source_id, product_is_expression=false) -%}
    {%- set product_sql = product if product_is_expression else "'" ~ product ~ "'" -%}
    {%- set source_text = "cast(" ~ source_id ~ " as " ~ type_string() ~ ")" -%}
    {{ adapter.dispatch('entity_uuid', 'tallyhouse')(product_sql, kind, source_text) }}
{%- endmacro %}

{% macro default__entity_uuid(product_sql, kind, source_text) -%}
    cast(
        case
            when {{ matches("lower(" ~ source_text ~ ")", uuid_pattern()) }} then lower({{ source_text }})
            else md5({{ product_sql }} || '|{{ kind }}|' || {{ source_text }})
        end as {{ type_uuid() }}
    )
{%- endmacro %}

{#- Engines without a uuid type keep the text with its hyphens. -#}
{% macro spark__entity_uuid(product_sql, kind, source_text) -%}
    case
        when {{ matches("lower(" ~ source_text ~ ")", uuid_pattern()) }} then lower({{ source_text }})
        else regexp_replace(
            md5(concat({{ product_sql }}, '|{{ kind }}|', {{ source_text }})),
            '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '$1-$2-$3-$4-$5'
        )
    end
{%- endmacro %}

{% macro uuid_pattern() -%}
    ^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$
{%- endmacro %}
