{#- The day's rate; the reporting currency needs none, on any day. -#}
{% macro fx_rate(currency, rate) -%}
    case when {{ currency }} = '{{ var("reporting_currency") }}' then 1 else {{ rate }} end
{%- endmacro %}

{#- What is to be done where a rate is missing, for tests that name what lacks one. -#}
{% macro how_to_add_rates() -%}
    {{ return(
        "Give the European Central Bank's file to `tallyhouse fx update FILE`, or add rows to"
        ~ " seeds/revenue/fx_rates.csv (rate_date, currency, eur_rate), and run again."
    ) }}
{%- endmacro %}
