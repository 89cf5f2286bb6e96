-- How shifts ended, by the first UTC day on which that was known: a shift's result is known 24 hours after
-- its start.
with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

progress as (

    select * from {{ ref('int_workforce__shift_progress') }}
    where moment = 'result'

),

results as (

    select
        shifts.tenant_id,
        shifts.site_id,
        shifts.required_skill,
        {{ add_days(local_date(add_interval('shifts.starts_at', 24, 'hour'), "'UTC'"), 1) }} as known_date,
        case
            when coalesce(progress.accepted_count, 0) >= shifts.required_count then 1
            else 0
        end as is_filled,
        coalesce(progress.accepted_count, 0) as accepted_count,
        coalesce(progress.rejected_count, 0) as rejected_count
    from shifts
    left join progress
        on
            shifts.tenant_id = progress.tenant_id
            and shifts.shift_id = progress.shift_id
            and shifts.as_of_at = progress.as_of_at

),

days as (

    select
        tenant_id,
        site_id,
        required_skill,
        known_date,
        count(*) as shift_count,
        sum(is_filled) as filled_count,
        sum(accepted_count) as accepted_count,
        sum(rejected_count) as rejected_count
    from results
    group by tenant_id, site_id, required_skill, known_date

    union all

    -- days on which a shift is judged without a result that day
    select distinct
        tenant_id,
        site_id,
        required_skill,
        as_of_date as known_date,
        0 as shift_count,
        0 as filled_count,
        0 as accepted_count,
        0 as rejected_count
    from shifts

),

final as (

    select
        tenant_id,
        site_id,
        required_skill,
        known_date,
        {{ days_between(date_literal('2000-01-01'), 'known_date') }} as day_number,
        sum(shift_count) as shift_count,
        sum(filled_count) as filled_count,
        sum(accepted_count) as accepted_count,
        sum(rejected_count) as rejected_count
    from days
    group by tenant_id, site_id, required_skill, known_date

)

select * from final
