{#- A model, as others read it. -#}
{% macro ref() -%}
    {{ return(without_alias(builtins.ref(*varargs, **kwargs))) }}
{%- endmacro %}

{#- With `--empty` a relation is a subquery, and dbt gives that a name; where the model gives it one of its own there
    would be two, and no SQL has that. Without dbt's it stands in both places (Postgres from 16 on, DuckDB, Spark). -#}
{% macro without_alias(relation) -%}
    {{ return(relation if relation.limit is none else relation.replace(require_alias=false)) }}
{%- endmacro %}
