{#- The folder decides the schema: staging, intermediate, features, snapshots, reference (seeds),
    or the domain below marts. Nothing else does; a custom schema in a model is refused. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is not none and node.resource_type in ['model', 'seed', 'snapshot'] -%}
        {{ exceptions.raise_compiler_error(
            node.name ~ " sets a schema of its own ('" ~ custom_schema_name ~ "'). Move the file into the folder "
            ~ "whose schema it belongs to; the folder decides the schema."
        ) }}
    {%- endif -%}
    {%- set folders = node.fqn[1:-1] -%}
    {%- if node.resource_type == 'seed' -%}
        reference
    {%- elif node.resource_type == 'snapshot' -%}
        snapshots
    {%- elif node.resource_type == 'model' and folders and folders[0] == 'marts' -%}
        {{ folders[1] }}
    {%- elif node.resource_type == 'model' and folders -%}
        {{ folders[0] }}
    {%- elif node.resource_type == 'test' -%}
        {{ custom_schema_name or target.schema }}
    {%- else -%}
        {{ target.schema }}
    {%- endif -%}
{%- endmacro %}
