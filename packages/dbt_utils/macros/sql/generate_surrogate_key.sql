{% macro generate_surrogate_key(field_list) %}
    {{- return(adapter.dispatch('generate_surrogate_key', 'dbt_utils')(field_list)) -}}
{% endmacro %}

{% macro default__generate_surrogate_key(field_list) -%}
    {%- set blank = (
        '' if var('surrogate_key_treat_nulls_as_empty_strings', false)
        else '_dbt_utils_surrogate_key_null_'
    ) -%}
    {%- set parts = [] -%}
    {%- for field in field_list -%}
        {%- do parts.append(
            "coalesce(cast(" ~ field ~ " as " ~ dbt.type_string() ~ "), '" ~ blank ~ "')"
        ) -%}
        {%- if not loop.last -%}{%- do parts.append("'-'") -%}{%- endif -%}
    {%- endfor -%}
    {{ dbt.hash(dbt.concat(parts)) }}
{%- endmacro %}
