-- A place is taken by an assignment that was accepted and not given up again. The nth acceptance takes the
-- nth place.
with assignments as (

    select * from {{ ref('stg_rostracore__shift_assignments') }}
    where status in ('accepted', 'completed')

),

final as (

    select
        tenant_id,
        shift_id,
        assignment_id,
        employee_id,

        row_number() over (
            partition by tenant_id, shift_id
            order by coalesce(responded_at, offered_at), assignment_id
        ) as place_number,

        regular_cost_amount,
        overtime_cost_amount,
        premium_cost_amount,
        travel_cost_amount,

        coalesce(responded_at, offered_at) as taken_at
    from assignments

)

select * from final
