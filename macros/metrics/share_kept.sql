{#- Aggregate: what is left of 1 after percentages taken off one after the other (20 % then 50 % leaves 0.4).
    A product of exact numbers: engines have no exact product aggregate, and logarithms would lose the cents.
    Stripe allows 20 discounts on one object. -#}
{% macro share_kept(percent_off, position, most=20) -%}
    (
        {%- for number in range(1, most + 1) %}
        coalesce(max(case when {{ position }} = {{ number }} then 1 - {{ percent_off }} * 0.01 end), 1)
        {{- ' *' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- How many of a price's periods make a year, by policy: a monthly amount is price x this / (12 x interval count). -#}
{% macro periods_per_year(billing_interval, weeks_per_year, days_per_year) -%}
    case {{ billing_interval }}
        when 'year' then 1
        when 'month' then 12
        when 'week' then {{ weeks_per_year }}
        when 'day' then {{ days_per_year }}
    end
{%- endmacro %}
