with shifts as (

    select * from {{ ref('int_workforce__shifts') }}

),

final as (

    select
        shift_id,
        tenant_id,
        site_id,
        roster_id,

        date_key,
        status,
        required_skill,
        currency,

        required_count,
        filled_count,
        fill_rate,
        regular_cost_cents,
        overtime_cost_cents,
        premium_cost_cents,
        travel_cost_cents,
        total_cost_cents,
        budget_cents,

        is_filled,

        starts_at,
        ends_at,
        posted_at,
        filled_at
    from shifts

)

select * from final
