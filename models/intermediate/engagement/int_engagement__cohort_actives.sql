{{ config(
    materialized='incremental',
    indexes=[{'columns': ['period_start', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'period_start'],
        'days': 'local',
        'grain': ['day', 'week', 'month'],
        'through': {'int_engagement__user_days': none, 'int_engagement__users': 'int_engagement__user_days'},
        'vars': ['retention_day_periods', 'retention_week_periods', 'retention_month_periods'],
    }},
) }}

with

users as (

    select * from {{ ref('int_engagement__users') }}

),
{% for cohort_type, last_period in cohort_types().items() %}
{%- set period_start = 'activity.' ~ ('date_key' if cohort_type == 'day' else cohort_type ~ '_start') %}
{%- set cohort_start = cohort_start(cohort_type, 'users.first_date') %}
{{ cohort_type }}_actives as (

    select
        activity.product,
        activity.tenant_id,
        '{{ cohort_type }}' as cohort_type,
        {{ cohort_start }} as cohort_start,
        {{ period_start }} as period_start,
        count(*) as active_users
    from {{ ref('int_engagement__user_' ~ cohort_type ~ 's') }} as activity
    inner join users
        on
            activity.product = users.product
            and activity.tenant_id = users.tenant_id
            and activity.user_id = users.user_id
    where
        {{ period_start }} <= {{ cohort_period_end(cohort_type, cohort_start, last_period) }}
        and {{ is_affected('activity.tenant_id', period_start) }}
    group by activity.product, activity.tenant_id, {{ cohort_start }}, {{ period_start }}

),
{% endfor %}
final as (
    {% for cohort_type in cohort_types() %}
    select * from {{ cohort_type }}_actives
    {%- if not loop.last %}
    union all
    {%- endif -%}
    {% endfor %}

)

select * from final
