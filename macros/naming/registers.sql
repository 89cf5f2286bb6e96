{#- Several staging models as one relation of the given columns (name → SQL type). Each model gives the columns that its
    YAML describes under that name; what its source does not have is null. So a product that registers its tenants or
    users is one more name in `models`, and no line in what reads the union. -#}
{% macro union_described(models, columns) -%}
    {%- for name in models %}
        {%- set described = described_columns(name) %}
    select
        {%- for column, type in columns.items() %}
        {{ column if column in described else "cast(null as " ~ type ~ ") as " ~ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref(name) }}
        {%- if not loop.last %}

    union all
        {% endif %}
    {%- endfor %}
{%- endmacro %}

{#- Names of the columns that a model's YAML describes; none while dbt only reads the project. -#}
{% macro described_columns(name) -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == name -%}
            {%- do found.extend(node.columns.keys()) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
