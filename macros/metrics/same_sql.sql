{#- The SQL of another model over other inputs, so that one computation has one home. `inputs` gives, by the name of
    each model, seed or `source.table` that the other model reads, what is read in its place; one that is left out
    stops the build, because dbt does not know then that this model reads it. The model itself is given as a ref, so
    that dbt and the plan of a build know that a change in it is one here. -#}
{% macro same_sql(relation, inputs) -%}
    {%- if execute -%}
        {%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
        {%- set other = models | selectattr('name', 'equalto', relation.identifier) | first -%}
        {%- set found = namespace(code=other.raw_code) -%}
        {%- for name, read in inputs.items() -%}
            {%- set call = "source('" ~ name | replace('.', "', '") ~ "')" if '.' in name else "ref('" ~ name ~ "')" -%}
            {%- set found.code = found.code | replace('{{ ' ~ call ~ ' }}', read | string) -%}
        {%- endfor -%}
        {{ render(found.code) }}
    {%- else -%}
        select 1 as not_yet_known
    {%- endif -%}
{%- endmacro %}

{#- The same as a subquery, for a model that is inlined in another. -#}
{% macro same_sql_inlined(relation, inputs) -%}
    ({{ same_sql(relation, inputs) }}) as {{ relation.identifier }}
{%- endmacro %}
