{#- When dbt begins, by hand too: what the nodes that it selected hold is not known until they are built. The ledger is
    `ops.node_builds`, made by tallyhouse/ops_schema.py; `tallyhouse run` builds what it does not know. -#}
{% macro forget_builds() -%}
    {{ return(adapter.dispatch('forget_builds', 'tallyhouse')()) }}
{%- endmacro %}

{% macro default__forget_builds() -%}
    {%- if execute and selected_resources -%}
        update ops.node_builds set inputs = null where node_id in ('{{ selected_resources | join("', '") }}')
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__forget_builds() -%}{%- endmacro %}
{% macro spark__forget_builds() -%}{%- endmacro %}
