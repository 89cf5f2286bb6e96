{#- What a retention cohort is, by cohort type (day, week, month): where its period starts, which period a date
    falls in, and when a period is over. -#}

{#- First day of the cohort period that a date falls in. -#}
{% macro cohort_start(cohort_type, day) -%}
    {%- if cohort_type == 'day' -%}{{ day }}
    {%- elif cohort_type == 'week' -%}{{ week_start(day) }}
    {%- else -%}{{ month_start(day) }}
    {%- endif -%}
{%- endmacro %}

{#- Number of the period (0 is the cohort's own) that starts on `period_start`, counted from `cohort_start`. -#}
{% macro cohort_period_number(cohort_type, cohort_start, period_start) -%}
    {%- if cohort_type == 'day' -%}
        {{ days_between(cohort_start, period_start) }}
    {%- elif cohort_type == 'week' -%}
        cast({{ days_between(cohort_start, period_start) }} / 7 as integer)
    {%- else -%}
        {{ months_between(cohort_start, period_start) }}
    {%- endif -%}
{%- endmacro %}

{#- Last day of period `period_number` of the cohort that starts on `cohort_start`. -#}
{% macro cohort_period_end(cohort_type, cohort_start, period_number) -%}
    {%- if cohort_type == 'day' -%}
        {{ add_days(cohort_start, period_number) }}
    {%- elif cohort_type == 'week' -%}
        {{ add_days(cohort_start, "(7 * " ~ period_number ~ " + 6)") }}
    {%- else -%}
        {{ add_days(add_months(cohort_start, "(" ~ period_number ~ " + 1)"), -1) }}
    {%- endif -%}
{%- endmacro %}

{#- The cohort types and the last period kept for each (vars, so that a table of daily cohorts stays bounded). -#}
{% macro cohort_types() -%}
    {{ return({
        'day': var('retention_day_periods'),
        'week': var('retention_week_periods'),
        'month': var('retention_month_periods'),
    }) }}
{%- endmacro %}

{#- A query of one row per whole number from 0 to `last`, column period_number. -#}
{% macro period_numbers(last) -%}
    {%- for number in range(last + 1) %}
    select {{ number }} as period_number
    {%- if not loop.last %} union all{% endif -%}
    {%- endfor %}
{%- endmacro %}
