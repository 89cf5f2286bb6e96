with offers as (

    select
        *,
        {{ seconds_between('works_from_at', 'works_to_at') }} / 3600 as work_hours
    from {{ ref('int_workforce__offers') }}

),

final as (

    select
        shift_id,
        employee_id,
        tenant_id,
        assignment_id,
        site_id,
        roster_id,

        date_key,
        status,
        answer,
        currency,

        offer_count,
        case when is_over then round(work_hours, 6) end as hours,
        case when is_over then round(greatest(work_hours - shift_hours, 0), 6) end as overtime_hours,
        regular_cost_cents,
        overtime_cost_cents,
        premium_cost_cents,
        travel_cost_cents,
        case
            when
                coalesce(regular_cost_cents, overtime_cost_cents, premium_cost_cents, travel_cost_cents) is not null
                then
                    coalesce(regular_cost_cents, 0)
                    + coalesce(overtime_cost_cents, 0)
                    + coalesce(premium_cost_cents, 0)
                    + coalesce(travel_cost_cents, 0)
        end as cost_cents,

        is_taken,
        is_over,
        is_punctual,

        offered_at,
        answered_at,
        started_at,
        ended_at
    from offers

)

select * from final
