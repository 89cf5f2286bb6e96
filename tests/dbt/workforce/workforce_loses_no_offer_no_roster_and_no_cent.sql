-- Each offer is in one row, each roster in one; and what shifts cost is what their days and places cost.
with loaded as (

    select
        tenant_id,
        'offers' as kind,
        count(*) as amount
    from {{ ref('stg_rostracore__shift_assignments') }}
    where tenant_id is not null
    group by tenant_id

    union all

    select
        tenant_id,
        'rosters' as kind,
        count(*) as amount
    from {{ ref('stg_rostracore__rosters') }}
    where tenant_id is not null
    group by tenant_id

    union all

    select
        shifts.tenant_id,
        'costs' as kind,
        sum(coalesce(shifts.total_cost_cents, 0) + coalesce(shifts.budget_cents, 0)) as amount
    from {{ ref('fact_shifts') }} as shifts
    where shifts.status <> 'cancelled' and shifts.date_key is not null
    group by shifts.tenant_id

),

published as (

    select
        tenant_id,
        'offers' as kind,
        sum(offer_count) as amount
    from {{ ref('fact_shift_assignments') }}
    group by tenant_id

    union all

    select
        tenant_id,
        'rosters' as kind,
        count(*) as amount
    from {{ ref('fact_rosters') }}
    group by tenant_id

    union all

    select
        tenant_id,
        'costs' as kind,
        sum(coalesce(total_cost_cents, 0) + coalesce(budget_cents, 0)) as amount
    from {{ ref('metrics_daily_shift_costs') }}
    group by tenant_id

    union all

    -- days to come, which are not published yet
    select
        days.tenant_id,
        'costs' as kind,
        sum(
            coalesce(days.regular_cost_cents, 0)
            + coalesce(days.overtime_cost_cents, 0)
            + coalesce(days.premium_cost_cents, 0)
            + coalesce(days.travel_cost_cents, 0)
            + coalesce(days.budget_cents, 0)
        ) as amount
    from {{ ref('int_workforce__shift_days') }} as days
    inner join {{ ref('int_workforce__tenants') }} as tenants on days.tenant_id = tenants.tenant_id
    where days.date_key > tenants.running_date
    group by days.tenant_id

),

published_sums as (

    select
        tenant_id,
        kind,
        sum(amount) as amount
    from published
    group by tenant_id, kind

)

select
    coalesce(loaded.tenant_id, published_sums.tenant_id) as tenant_id,
    coalesce(loaded.kind, published_sums.kind) as kind
from loaded
full outer join published_sums
    on loaded.tenant_id = published_sums.tenant_id and loaded.kind = published_sums.kind
where
    loaded.tenant_id is null
    or published_sums.tenant_id is null
    or loaded.amount <> published_sums.amount
