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

{#- A query of retention: one row per product, tenant, value of each property in `by` (macros/metrics/properties.sql)
    and cohort, with cohort_size and, for each of `periods`, the users retained, of how many and their share, as in
    d7_users, d7_cohort_size and d7_rate. Null until a period is over, so that sums of them divide. Cohorts are of a
    day, week or month of the first activity; `mode` is bounded or unbounded. Without `by` it is read off
    metrics_cohort_retention, else counted from users and active periods. -#}
{% macro retention(by=none, periods=[1, 7, 30], cohort='day', mode='bounded', cohort_column='cohort_start') -%}
    {%- if cohort not in cohort_types() or mode not in ('bounded', 'unbounded') -%}
        {{ refuse_call("retention", "knows cohorts of a day, week or month and the modes bounded and unbounded, not '"
            ~ cohort ~ "' and '" ~ mode ~ "'.") }}
    {%- endif -%}
    {%- set properties = asked_properties(by) -%}
    {%- if properties -%}
        {{ _retention_by(properties, periods, cohort, mode, cohort_column) }}
    {%- else -%}
        {%- set last = cohort_types()[cohort] -%}
        {%- if periods | max > last -%}
            {{ refuse_call("retention", "is asked for " ~ cohort ~ " " ~ periods | max ~ ", but var retention_"
                ~ cohort ~ "_periods keeps " ~ last ~ ". Raise it in dbt_project.yml, or ask for less.") }}
        {%- endif -%}
        select
            product,
            tenant_id,
            cohort_start as {{ cohort_column }},
            max(cohort_size) as cohort_size
            {%- for period in periods %},
            {%- set name = cohort[0] ~ period %}
            max(case when period_number = {{ period }} then retained_users end) as {{ name }}_users,
            max(case when period_number = {{ period }} and retained_users is not null then cohort_size end)
                as {{ name }}_cohort_size,
            max(case when period_number = {{ period }} then retention_rate end) as {{ name }}_rate
            {%- endfor %}
        from {{ ref('metrics_cohort_retention') }}
        where
            cohort_type = '{{ cohort }}'
            and mode = '{{ mode }}'
            and period_number in ({{ periods | join(', ') }})
        group by product, tenant_id, cohort_start
    {%- endif -%}
{%- endmacro %}

{% macro _retention_by(properties, periods, cohort, mode, cohort_column) -%}
    {%- set period_start = 'activity.' ~ ('date_key' if cohort == 'day' else cohort ~ '_start') -%}
    {%- set names = properties | join(', ') %}
    with members as (

        select
            users.product,
            users.tenant_id,
            users.user_id,
            {{ cohort_start(cohort, 'users.first_date') }} as cohort_start,
            horizons.running_date,
            horizons.last_complete_date
        from {{ ref('int_engagement__users') }} as users
        inner join {{ ref('int_engagement__tenant_horizons') }} as horizons
            on
                users.product = horizons.product
                and users.tenant_id = horizons.tenant_id
        where users.first_date <= horizons.running_date

    ),

    active_periods as (

        select
            members.product,
            members.tenant_id,
            members.user_id,
            {{ cohort_period_number(cohort, 'members.cohort_start', period_start) }} as period_number
        from members
        inner join {{ ref('int_engagement__user_' ~ cohort ~ 's') }} as activity
            on
                members.product = activity.product
                and members.tenant_id = activity.tenant_id
                and members.user_id = activity.user_id
        where {{ period_start }} <= members.running_date

    ),

    returned as (

        select
            product,
            tenant_id,
            user_id
            {%- for period in periods %},
            max(case when period_number {{ '=' if mode == 'bounded' else '>=' }} {{ period }} then 1 else 0 end)
                as in_{{ period }}
            {%- endfor %}
        from active_periods
        group by product, tenant_id, user_id

    ),

    {{ property_ctes(properties) }}

    cohorts as (

        select
            members.product,
            members.tenant_id,
            {%- for name in properties %}
            {{ name }}_of_users.{{ name }},
            {%- endfor %}
            members.cohort_start,
            members.last_complete_date,
            count(*) as cohort_size
            {%- for period in periods %},
            sum(returned.in_{{ period }}) as users_{{ period }}
            {%- endfor %}
        from members
        inner join returned
            on
                members.product = returned.product
                and members.tenant_id = returned.tenant_id
                and members.user_id = returned.user_id
        {{ property_joins(properties, 'members') }}
        group by
            members.product,
            members.tenant_id,
            {%- for name in properties %}
            {{ name }}_of_users.{{ name }},
            {%- endfor %}
            members.cohort_start,
            members.last_complete_date

    )

    select
        product,
        tenant_id,
        {{ names }},
        cohort_start as {{ cohort_column }},
        cohort_size
        {%- for period in periods %},
        {%- set name = cohort[0] ~ period %}
        {%- set is_over = cohort_period_end(cohort, 'cohort_start', period) ~ ' <= last_complete_date' %}
        case when {{ is_over }} then cast(users_{{ period }} as bigint) end as {{ name }}_users,
        case when {{ is_over }} then cohort_size end as {{ name }}_cohort_size,
        case when {{ is_over }} then {{ rate('users_' ~ period, 'cohort_size') }} end as {{ name }}_rate
        {%- endfor %}
    from cohorts
{%- endmacro %}

{#- A query of one row per whole number from 0 to `last`, column period_number. -#}
{% macro period_numbers(last) -%}
    {%- for number in range(last + 1) %}
    select {{ number }} as period_number
    {%- if not loop.last %} union all{% endif -%}
    {%- endfor %}
{%- endmacro %}
