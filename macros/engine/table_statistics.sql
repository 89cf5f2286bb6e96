{#- Post-hook: statistics of the table that was made just now, for the models after it in the same run. Without them an
    engine takes every table for a small one and compares each row with each. A table of which some keys were rebuilt is
    much as it was. -#}
{% macro gather_statistics() -%}
    {%- set is_new = model.config.materialized == 'table' or (is_planned() and build_plan().mode == 'full') -%}
    {%- if model.resource_type == 'model' and is_new -%}
        {{ adapter.dispatch('gather_statistics', 'tallyhouse')() }}
    {%- endif -%}
{%- endmacro %}

{% macro default__gather_statistics() -%}
    analyze {{ this }}
{%- endmacro %}

{#- Columnar engines keep theirs as they write. -#}
{% macro duckdb__gather_statistics() -%}{%- endmacro %}
{% macro spark__gather_statistics() -%}{%- endmacro %}
