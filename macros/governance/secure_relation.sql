{#- Post-hook of every model: a mart gets its row security and its grants inside the transaction that swaps it in, so
    that no reader ever sees it without them. What is granted follows from the role matrix and the folder
    (governance.secure_relation, made by tallyhouse/database/row_security.sql). Other layers are granted to nobody. -#}
{% macro secure_relation() -%}
    {%- if model.resource_type == 'model' and model.fqn[1] == 'marts' -%}
        {{ adapter.dispatch('secure_relation', 'tallyhouse')() }}
    {%- endif -%}
{%- endmacro %}

{% macro default__secure_relation() -%}
    select governance.secure_relation('{{ this.schema }}', '{{ this.identifier }}')
{%- endmacro %}

{#- Row security is the warehouse's; the other engines are a check and a scale-out without BI logins. -#}
{% macro duckdb__secure_relation() -%}{%- endmacro %}
{% macro spark__secure_relation() -%}{%- endmacro %}
