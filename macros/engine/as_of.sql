{#- The instant up to which the marts speak, as a literal: var as_of, else TALLYHOUSE_AS_OF, else the newest
    received_at that was loaded and counts (rule 66). Before anything is loaded: null. Never the wall clock. -#}
{% macro as_of() -%}
    {%- if given_as_of() -%}
        {{ timestamp_literal(given_as_of()) }}
    {%- elif not execute -%}
        cast(null as {{ type_timestamp() }})
    {%- else -%}
        {%- set newest = run_query(
            "select cast(max(coalesce(max_received_at, max_claimed_at)) as " ~ type_string() ~ ") as newest from "
            ~ source('ops', 'source_watermarks')
        ).columns[0].values()[0] -%}
        {%- if newest -%}
            {{ timestamp_literal(newest) }}
        {%- else -%}
            cast(null as {{ type_timestamp() }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The same as somebody gave it, with its zone; empty where nobody did. -#}
{% macro given_as_of() -%}
    {%- set given = var('as_of', none) or env_var('TALLYHOUSE_AS_OF', '') -%}
    {{ return(_with_utc(given | string) if given else '') }}
{%- endmacro %}

{#- A time without a zone is taken as UTC, whatever zone the session is in. -#}
{% macro _with_utc(text) -%}
    {%- if modules.re.search('[T ].*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$', text) -%}{{ text }}
    {%- elif modules.re.search('[T ]', text) -%}{{ text }}+00
    {%- else -%}{{ text }} 00:00:00+00
    {%- endif -%}
{%- endmacro %}

{#- The calendar date at as_of in a time zone. A model that needs no more than this is built when the date changes, not
    whenever as_of moves. -#}
{% macro as_of_date(timezone) -%}
    {{ local_date(as_of(), timezone) }}
{%- endmacro %}
