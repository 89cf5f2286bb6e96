with

activity as (

    select * from {{ ref('int_engagement__cohort_activity') }}

),

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

-- every member is active in the cohort's own period
cohorts as (

    select
        activity.product,
        activity.tenant_id,
        activity.cohort_type,
        activity.cohort_start,
        activity.active_users as cohort_size,
        horizons.last_complete_date
    from activity
    inner join horizons
        on
            activity.product = horizons.product
            and activity.tenant_id = horizons.tenant_id
    where activity.period_number = 0

),

{% for cohort_type, last_period in cohort_types().items() %}
{{ cohort_type }}_numbers as (
    {{ period_numbers(last_period) }}

),
{% endfor %}
periods as (

    {% for cohort_type, last_period in cohort_types().items() %}
    select
        cohorts.*,
        numbers.period_number,
        {{ cohort_period_end(cohort_type, 'cohorts.cohort_start', 'numbers.period_number') }} as period_end
    from cohorts
    cross join {{ cohort_type }}_numbers as numbers
    where cohorts.cohort_type = '{{ cohort_type }}'
    {%- if not loop.last %}

    union all

    {% endif -%}
    {% endfor %}

),

-- whoever has not left in an earlier period is active in this one or a later one
counted as (

    select
        periods.product,
        periods.tenant_id,
        periods.cohort_type,
        periods.cohort_start,
        periods.period_number,
        periods.period_end <= periods.last_complete_date as is_observable,
        periods.cohort_size,
        coalesce(activity.active_users, 0) as bounded_users,
        periods.cohort_size - coalesce(
            sum(activity.leaving_users) over (
                partition by periods.product, periods.tenant_id, periods.cohort_type, periods.cohort_start
                order by periods.period_number
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as unbounded_users
    from periods
    left join activity
        on
            periods.product = activity.product
            and periods.tenant_id = activity.tenant_id
            and periods.cohort_type = activity.cohort_type
            and periods.cohort_start = activity.cohort_start
            and periods.period_number = activity.period_number

),

final as (

    {% for mode in ['bounded', 'unbounded'] %}
    select
        product,
        tenant_id,
        cohort_type,
        cohort_start,
        period_number,
        '{{ mode }}' as mode,
        cohort_size,
        case when is_observable then cast({{ mode }}_users as bigint) end as retained_users,
        case when is_observable then {{ rate(mode ~ '_users', 'cohort_size') }} end as retention_rate,
        is_observable
    from counted
    {%- if not loop.last %}

    union all

    {% endif -%}
    {% endfor %}

)

select * from final
