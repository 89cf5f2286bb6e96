{#- An amount in major units as a whole number of minor units (12.34 and exponent 2 give 1234), rounded once, half away
    from zero. A currency whose minor unit is unknown counts as having cents. -#}
{% macro to_minor_units(amount, exponent) -%}
    cast(round({{ amount }} * power(cast(10 as {{ type_numeric() }}), coalesce({{ exponent }}, 2))) as bigint)
{%- endmacro %}
