{#- So many of a price's billing periods after an instant; null where the interval is none of Stripe's. -#}
{% macro after_billing_periods(instant, billing_interval, periods) -%}
    case {{ billing_interval }}
        {%- for unit in ['year', 'month', 'week', 'day'] %}
        when '{{ unit }}' then {{ add_interval(instant, periods, unit) }}
        {%- endfor %}
    end
{%- endmacro %}

{#- When a repeating discount is over: at the end that Stripe says, else after its months, or when it is taken away,
    whichever is first. -#}
{% macro repeating_until(starts_at, ends_at, months, removed_at) -%}
    {%- set foretold = ends_at ~ ', ' ~ add_interval(starts_at, months, 'month') -%}
    least(coalesce({{ foretold }}, {{ removed_at }}), coalesce({{ removed_at }}, {{ foretold }}))
{%- endmacro %}
