{#- So many of a price's billing periods after an instant; null where the interval is none of Stripe's. -#}
{% macro after_billing_periods(instant, billing_interval, periods) -%}
    case {{ billing_interval }}
        {%- for unit in ['year', 'month', 'week', 'day'] %}
        when '{{ unit }}' then {{ add_interval(instant, periods, unit) }}
        {%- endfor %}
    end
{%- endmacro %}

{#- The end of the billing period that follows one from `starts_at` to `ends_at`. From 31 January a month ends on
    28 February and the next on 31 March, two months after the first began: a month after its end would be too soon. -#}
{% macro after_the_next_period(starts_at, ends_at, billing_interval, periods) -%}
    case
        when {{ ends_at }} = {{ after_billing_periods(starts_at, billing_interval, periods) }}
            then {{ after_billing_periods(starts_at, billing_interval, '2 * (' ~ periods ~ ')') }}
        else {{ after_billing_periods(ends_at, billing_interval, periods) }}
    end
{%- endmacro %}

{#- When a repeating discount is over: at the end that Stripe says, else after its months, or when it is taken away,
    whichever is first. -#}
{% macro repeating_until(starts_at, ends_at, months, removed_at) -%}
    {%- set foretold = ends_at ~ ', ' ~ add_interval(starts_at, months, 'month') -%}
    least(coalesce({{ foretold }}, {{ removed_at }}), coalesce({{ removed_at }}, {{ foretold }}))
{%- endmacro %}
