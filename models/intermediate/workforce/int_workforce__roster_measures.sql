-- What a roster came to, as far as it is known: from its shifts, the answers of the guards, and what was changed by
-- hand.
with rosters as (

    select * from {{ ref('stg_rostracore__rosters') }}

),

shifts as (

    select * from {{ ref('int_workforce__shifts') }}
    where roster_id is not null and status <> 'cancelled'

),

offers as (

    select * from {{ ref('int_workforce__offers') }}

),

roster_hours as (

    select * from {{ ref('int_workforce__roster_hours') }}

),

overrides as (

    select * from {{ ref('int_workforce__roster_overrides') }}

),

staffed as (

    select
        tenant_id,
        roster_id,
        count(*) as posted_shift_count,
        sum(required_count) as required_places,
        {{ sum_if('required_count is not null', 'least(filled_count, required_count)') }} as filled_places,
        sum(total_cost_cents) as cost_cents,
        sum(budget_cents) as budget_cents,
        max(starts_at) as last_starts_at
    from shifts
    group by tenant_id, roster_id

),

answered as (

    select
        offers.tenant_id,
        offers.roster_id,
        {{ count_if("offers.answer = 'accepted'") }} as accepted_offers,
        count(offers.answer) as answered_offers
    from offers
    inner join shifts on offers.tenant_id = shifts.tenant_id and offers.shift_id = shifts.shift_id
    group by offers.tenant_id, offers.roster_id

),

ranked_hours as (

    select
        *,
        row_number() over (partition by tenant_id, roster_id order by planned_hours, employee_id) as hours_rank
    from roster_hours

),

shared as (

    select
        tenant_id,
        roster_id,
        count(*) as employees_available,
        {{ gini('planned_hours', 'hours_rank', 'count(*)') }} as fairness_gini
    from ranked_hours
    group by tenant_id, roster_id

),

overridden as (

    select
        tenant_id,
        roster_id,
        count(distinct overridden_id) as override_count
    from overrides
    group by tenant_id, roster_id

),

final as (

    select
        rosters.tenant_id,
        rosters.roster_id,
        rosters.violation_count,
        coalesce(rosters.shift_count, staffed.posted_shift_count, 0) as shift_count,
        coalesce(staffed.posted_shift_count, 0) as posted_shift_count,
        coalesce(staffed.required_places, 0) as required_places,
        coalesce(staffed.filled_places, 0) as filled_places,
        coalesce(answered.answered_offers, 0) as answered_offers,
        coalesce(answered.accepted_offers, 0) as accepted_offers,
        coalesce(overridden.override_count, 0) as override_count,
        coalesce(shared.employees_available, 0) as employees_available,
        case when staffed.roster_id is not null then coalesce(shared.fairness_gini, 0) end as fairness_gini,
        cast(staffed.cost_cents as bigint) as cost_cents,
        cast(staffed.budget_cents as bigint) as budget_cents,
        staffed.last_starts_at
    from rosters
    left join staffed on rosters.tenant_id = staffed.tenant_id and rosters.roster_id = staffed.roster_id
    left join answered on rosters.tenant_id = answered.tenant_id and rosters.roster_id = answered.roster_id
    left join shared on rosters.tenant_id = shared.tenant_id and rosters.roster_id = shared.roster_id
    left join overridden
        on rosters.tenant_id = overridden.tenant_id and rosters.roster_id = overridden.roster_id
    where rosters.tenant_id is not null

)

select * from final
