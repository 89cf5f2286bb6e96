{#- Column types by meaning. Postgres is the default; an engine that differs says so beside it. -#}

{% macro type_uuid() -%}{{ adapter.dispatch('type_uuid', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_uuid() -%}uuid{%- endmacro %}
{% macro spark__type_uuid() -%}string{%- endmacro %}

{#- An instant with its time zone; never a wall-clock time. -#}
{% macro type_timestamp() -%}{{ adapter.dispatch('type_instant', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_instant() -%}timestamptz{%- endmacro %}
{% macro spark__type_instant() -%}timestamp{%- endmacro %}

{#- A wall-clock time without a zone: only inside engine macros and for local hours. -#}
{% macro type_local_timestamp() -%}{{ adapter.dispatch('type_local_timestamp', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_local_timestamp() -%}timestamp{%- endmacro %}
{% macro spark__type_local_timestamp() -%}timestamp_ntz{%- endmacro %}

{% macro type_json() -%}{{ adapter.dispatch('type_json', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_json() -%}jsonb{%- endmacro %}
{% macro duckdb__type_json() -%}json{%- endmacro %}
{% macro spark__type_json() -%}string{%- endmacro %}

{#- Exact numbers: money before its one rounding, rates, weights. -#}
{% macro type_numeric() -%}{{ adapter.dispatch('type_exact', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_exact() -%}numeric{%- endmacro %}
{% macro duckdb__type_exact() -%}decimal(38, 12){%- endmacro %}
{% macro spark__type_exact() -%}decimal(38, 12){%- endmacro %}

{#- Floating point of 53 bits: statistics that no exact number has (roots, logarithms, tails of a distribution). -#}
{% macro type_double() -%}{{ adapter.dispatch('type_double', 'tallyhouse')() }}{%- endmacro %}
{% macro default__type_double() -%}double precision{%- endmacro %}
{% macro duckdb__type_double() -%}double{%- endmacro %}
{% macro spark__type_double() -%}double{%- endmacro %}
