{#- Post-hook of every model: a mart whose rows a plain sum would add up wrongly (four policies, two modes, the day that
    runs) is also published as its `meta.views` say: suffix of the view → the columns that have one value in it. A view
    of dbt's own would go with the old version of its mart and be missing until its turn; this one is made in the
    transaction that swaps the mart in (governance.publish_view, made by tallyhouse/database/row_security.sql). -#}
{% macro publish_views() -%}
    {%- if model.config.meta.views -%}
        {{ adapter.dispatch('publish_views', 'tallyhouse')() }}
    {%- endif -%}
{%- endmacro %}

{% macro default__publish_views() -%}
    {%- set described = {} -%}
    {%- for column in model.columns.values() -%}
        {%- do described.update({column.name: column.description | trim}) -%}
    {%- endfor -%}
    select
    {%- for suffix, fixed in model.config.meta.views.items() %}
        governance.publish_view(
            '{{ this.schema }}', '{{ this.identifier }}', '{{ this.identifier }}_{{ suffix }}',
            '{{ tojson(fixed) }}', '{{ model.description | trim | replace("'", "''") }}',
            '{{ tojson(described) | replace("'", "''") }}'
        ){{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Views for BI tools are the warehouse's, as row security is. -#}
{% macro duckdb__publish_views() -%}{%- endmacro %}
{% macro spark__publish_views() -%}{%- endmacro %}
