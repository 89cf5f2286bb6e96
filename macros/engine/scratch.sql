{#- Makes a scratch table of a query, gone when the model's build ends, with statistics: nobody has any of what was made
    just now. Returns its name. -#}
{% macro make_scratch_table(name, query) -%}
    {{ return(adapter.dispatch('make_scratch_table', 'tallyhouse')(name, query)) }}
{%- endmacro %}

{% macro default__make_scratch_table(name, query) -%}
    {%- do run_query('create temporary table ' ~ name ~ ' as ' ~ query) -%}
    {%- do run_query('analyze ' ~ name) -%}
    {{ return(name) }}
{%- endmacro %}
