with employee_hours as (

    select
        *,
        row_number() over (partition by tenant_id, week_start order by hours, employee_id) as hours_rank
    from {{ ref('employee_hours') }}

),

shared as (

    select
        week_start,
        tenant_id,
        is_complete,
        count(*) as employees_available,
        {{ count_if('hours > 0') }} as employees_at_work,
        sum(hours) as hours,
        sum(overtime_hours) as overtime_hours,
        {{ gini('hours', 'hours_rank', 'count(*)') }} as fairness_gini
    from employee_hours
    group by week_start, tenant_id, is_complete

),

final as (

    select
        week_start,
        tenant_id,

        employees_available,
        employees_at_work,
        hours,
        overtime_hours,
        case when is_complete then fairness_gini end as fairness_gini,

        is_complete
    from shared

)

select * from final
