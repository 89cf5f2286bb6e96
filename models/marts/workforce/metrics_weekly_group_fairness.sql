{%- set new_days, long_days = 90, 365 %}

with employee_hours as (

    select * from {{ ref('employee_hours') }}

),

employees as (

    select * from {{ ref('dim_employee') }}

),

offers as (

    select * from {{ ref('int_workforce__offers') }}

),

answers as (

    select
        tenant_id,
        employee_id,
        {{ week_start(local_date('answered_at', 'timezone')) }} as week_start,
        count(*) as answered_offers,
        {{ count_if("answer = 'rejected'") }} as rejected_offers
    from offers
    where answer is not null and answered_at is not null
    group by tenant_id, employee_id, {{ week_start(local_date('answered_at', 'timezone')) }}

),

guards as (

    select
        employee_hours.*,
        employees.hourly_pay_cents,
        {{ days_between('employees.hired_on', 'employee_hours.week_start') }} as days_employed,
        coalesce(answers.answered_offers, 0) as answered_offers,
        coalesce(answers.rejected_offers, 0) as rejected_offers
    from employee_hours
    left join employees
        on
            employee_hours.tenant_id = employees.tenant_id
            and employee_hours.employee_id = employees.employee_id
    left join answers
        on
            employee_hours.tenant_id = answers.tenant_id
            and employee_hours.employee_id = answers.employee_id
            and employee_hours.week_start = answers.week_start

),

weeks as (

    select
        tenant_id,
        week_start,
        {{ median('hourly_pay_cents') }} as hourly_pay_median,
        {{ rate('sum(hours)', 'count(*)') }} as hours_per_employee
    from guards
    group by tenant_id, week_start

),

grouped as (

    select
        guards.*,
        weeks.hours_per_employee as tenant_hours_per_employee,
        'tenure' as group_type,
        case
            when guards.days_employed < {{ new_days }} then 'new'
            when guards.days_employed < {{ long_days }} then 'settled'
            when guards.days_employed >= {{ long_days }} then 'long'
            else 'unknown'
        end as group_name
    from guards
    inner join weeks on guards.tenant_id = weeks.tenant_id and guards.week_start = weeks.week_start

    union all

    select
        guards.*,
        weeks.hours_per_employee as tenant_hours_per_employee,
        'pay' as group_type,
        case
            when guards.hourly_pay_cents < weeks.hourly_pay_median then 'below_median'
            when guards.hourly_pay_cents >= weeks.hourly_pay_median then 'median_or_more'
            else 'unknown'
        end as group_name
    from guards
    inner join weeks on guards.tenant_id = weeks.tenant_id and guards.week_start = weeks.week_start

),

summed_up as (

    select
        week_start,
        tenant_id,
        group_type,
        group_name,
        is_complete,
        tenant_hours_per_employee,
        count(*) as employees_available,
        sum(hours) as hours,
        sum(overtime_hours) as overtime_hours,
        sum(night_hours) as night_hours,
        sum(weekend_hours) as weekend_hours,
        cast(sum(answered_offers) as bigint) as answered_offers,
        cast(sum(rejected_offers) as bigint) as rejected_offers
    from grouped
    group by week_start, tenant_id, group_type, group_name, is_complete, tenant_hours_per_employee

),

final as (

    select
        week_start,
        tenant_id,
        group_type,
        group_name,

        employees_available,
        hours,
        overtime_hours,
        night_hours,
        weekend_hours,
        case
            when is_complete
                then {{ rate(rate('hours', 'employees_available'), 'tenant_hours_per_employee') }}
        end as hours_parity,
        case when is_complete then {{ rate('night_hours', 'hours') }} end as night_rate,
        case when is_complete then {{ rate('weekend_hours', 'hours') }} end as weekend_rate,
        answered_offers,
        rejected_offers,
        case when is_complete then {{ rate('rejected_offers', 'answered_offers') }} end as rejection_rate,

        is_complete
    from summed_up

)

select * from final
