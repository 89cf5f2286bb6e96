-- The guards a tenant employs, as known at the beginning (UTC) of each day on which one of its shifts is
-- judged.
with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

employees as (

    select * from {{ ref('stg_rostracore__employee_versions') }}

),

days as (

    select distinct
        tenant_id,
        as_of_date
    from shifts

),

known as (

    select
        days.as_of_date,
        employees.*,
        row_number() over (
            partition by days.tenant_id, days.as_of_date, employees.employee_id
            order by employees.committed_at desc, employees.version_number desc
        ) as recency
    from days
    inner join employees
        on
            days.tenant_id = employees.tenant_id
            and {{ day_start('days.as_of_date', "'UTC'") }} >= employees.received_at

),

final as (

    select
        tenant_id,
        as_of_date,
        employee_id,
        hourly_pay_amount
    from known
    where
        recency = 1
        and hired_on <= as_of_date
        and (terminated_on is null or terminated_on > as_of_date)

)

select * from final
