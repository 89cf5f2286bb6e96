{#- The columns <name>_seconds_avg, _p50 and _p95 over the rows that meet the condition: to the millisecond, null where
    there are none. Percentiles are of these very rows. -#}
{% macro duration_columns(name, condition, seconds='seconds') -%}
    {%- set value = 'case when ' ~ condition ~ ' then ' ~ seconds ~ ' end' -%}
    round(avg({{ value }}), 3) as {{ name }}_seconds_avg,
        round(cast({{ percentile(value, 0.5) }} as {{ type_numeric() }}), 3) as {{ name }}_seconds_p50,
        round(cast({{ percentile(value, 0.95) }} as {{ type_numeric() }}), 3) as {{ name }}_seconds_p95
{%- endmacro %}

{#- Seconds from one instant to a later one; null where either is unknown or clocks disagree about the order. -#}
{% macro seconds_until(first_instant, second_instant) -%}
    case when {{ second_instant }} >= {{ first_instant }}
        then {{ seconds_between(first_instant, second_instant) }} end
{%- endmacro %}
