-- Hours of each week in which seats of a licence were paid for, and in which somebody had them; by whole days.
with seats as (

    select * from {{ ref('stg_projectflo__software_seats') }}

),

weeks as (

    select * from {{ ref('int_projects__weeks') }}

),

days as (

    select
        seats.tenant_id,
        seats.software_id,
        weeks.week_start,
        weeks.week_hours,
        weeks.is_complete,
        {{ days_between(
            'greatest(seats.licensed_from, weeks.week_start)',
            add_days("least(coalesce(seats.licensed_until, " ~ add_days('weeks.week_start', 6) ~ "), "
                ~ add_days('weeks.week_start', 6) ~ ")", 1)
        ) }} as licensed_days,
        {{ days_between(
            'greatest(seats.licensed_from, seats.used_from, weeks.week_start)',
            add_days("least(coalesce(seats.licensed_until, " ~ add_days('weeks.week_start', 6) ~ "), "
                ~ "coalesce(seats.used_until, " ~ add_days('weeks.week_start', 6) ~ "), "
                ~ add_days('weeks.week_start', 6) ~ ")", 1)
        ) }} as used_days,
        seats.used_from is not null as is_used
    from seats
    inner join weeks
        on
            seats.tenant_id = weeks.tenant_id
            and seats.licensed_from <= {{ add_days('weeks.week_start', 6) }}
            and coalesce(seats.licensed_until, weeks.week_start) >= weeks.week_start

),

final as (

    select
        software_id,
        tenant_id,

        week_start,

        sum(licensed_days) * week_hours / 7 as licensed_hours,
        coalesce({{ sum_if('is_used and used_days > 0', 'used_days') }}, 0) * week_hours / 7 as used_hours,

        is_complete
    from days
    group by tenant_id, software_id, week_start, week_hours, is_complete

)

select * from final
