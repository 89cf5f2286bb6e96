-- the activity is read where it is used: a CTE that is used twice would be copied first
with

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

-- as of a day in the past, what came after it is not known yet
members as (

    select
        user_days.product,
        user_days.tenant_id,
        user_days.user_id,
        min(user_days.date_key) as first_date,
        max(user_days.date_key) as last_date
    from {{ ref('int_engagement__user_days') }} as user_days
    inner join horizons
        on
            user_days.product = horizons.product
            and user_days.tenant_id = horizons.tenant_id
    where user_days.date_key <= horizons.running_date
    group by user_days.product, user_days.tenant_id, user_days.user_id

),
{% for cohort_type, last_period in cohort_types().items() %}
{%- set period_start = 'activity.' ~ ('date_key' if cohort_type == 'day' else cohort_type ~ '_start') %}
{{ cohort_type }}_members as (

    select
        product,
        tenant_id,
        user_id,
        {{ cohort_start(cohort_type, 'first_date') }} as cohort_start,
        {{ cohort_start(cohort_type, 'last_date') }} as last_period_start
    from members

),

{{ cohort_type }}_activity as (

    select
        members.product,
        members.tenant_id,
        members.cohort_start,
        {{ period_start }} as period_start,
        count(*) as active_users,
        {{ count_if("members.last_period_start = " ~ period_start) }} as leaving_users
    from {{ cohort_type }}_members as members
    inner join {{ ref('int_engagement__user_' ~ cohort_type ~ 's') }} as activity
        on
            members.product = activity.product
            and members.tenant_id = activity.tenant_id
            and members.user_id = activity.user_id
    where {{ period_start }} <= {{ cohort_period_end(cohort_type, 'members.cohort_start', last_period) }}
    group by members.product, members.tenant_id, members.cohort_start, {{ period_start }}

),
{% endfor %}
final as (
    {% for cohort_type in cohort_types() %}
    select
        product,
        tenant_id,
        '{{ cohort_type }}' as cohort_type,
        cohort_start,
        {{ cohort_period_number(cohort_type, 'cohort_start', 'period_start') }} as period_number,
        active_users,
        leaving_users
    from {{ cohort_type }}_activity
    {%- if not loop.last %}

    union all
    {% endif -%}
    {% endfor %}

)

select * from final
