-- What a shift costs on each local day that it lies on: its costs by the time of its guards there, its budget by its
-- own time. The shares of a shift's days add up to the whole to the cent.
{%- set shares = {
    'regular_cost_cents': 'cost', 'overtime_cost_cents': 'cost', 'premium_cost_cents': 'cost',
    'travel_cost_cents': 'cost', 'budget_cents': 'plan'
} %}

with shifts as (

    select * from {{ ref('int_workforce__shifts') }}
    where status <> 'cancelled'

),

work_days as (

    select * from {{ ref('int_workforce__work_days') }}

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

stretches as (

    select
        shifts.tenant_id,
        shifts.shift_id,
        tenants.timezone,
        shifts.starts_at as from_at,
        shifts.ends_at as to_at
    from shifts
    inner join tenants on shifts.tenant_id = tenants.tenant_id

),

cut as (

    {{ parts_by_local_day('stretches') }}

),

times as (

    select
        tenant_id,
        shift_id,
        date_key,
        {{ seconds_between('part_from_at', 'part_to_at') }} as plan_seconds,
        0 as work_seconds
    from cut

    union all

    select
        tenant_id,
        shift_id,
        date_key,
        0 as plan_seconds,
        work_seconds
    from work_days

    union all

    -- a shift whose end is not known, or before its start, lies on the day of its start
    select
        tenant_id,
        shift_id,
        date_key,
        1 as plan_seconds,
        0 as work_seconds
    from shifts
    where date_key is not null and (ends_at is null or ends_at <= starts_at)

),

days as (

    select
        tenant_id,
        shift_id,
        date_key,
        sum(plan_seconds) as plan_weight,
        sum(work_seconds) as work_weight,
        sum(sum(work_seconds)) over (partition by tenant_id, shift_id) as work_total
    from times
    group by tenant_id, shift_id, date_key

),

weights as (

    select
        tenant_id,
        shift_id,
        date_key,
        plan_weight,
        case when work_total > 0 then work_weight else plan_weight end as cost_weight
    from days

),

passed as (

    select
        tenant_id,
        shift_id,
        date_key,
        plan_weight,
        cost_weight,
        sum(plan_weight) over (partition by tenant_id, shift_id) as plan_total,
        sum(cost_weight) over (partition by tenant_id, shift_id) as cost_total,
        sum(plan_weight) over (
            partition by tenant_id, shift_id order by date_key
            rows between unbounded preceding and current row
        ) as plan_until,
        sum(cost_weight) over (
            partition by tenant_id, shift_id order by date_key
            rows between unbounded preceding and current row
        ) as cost_until
    from weights

),

final as (

    select
        shifts.tenant_id,
        shifts.shift_id,
        shifts.site_id,
        passed.date_key,
        {%- for amount, weight in shares.items() %}
        cast(
            round({{ rate('shifts.' ~ amount ~ ' * passed.' ~ weight ~ '_until', 'passed.' ~ weight ~ '_total') }})
            - round({{ rate(
                'shifts.' ~ amount ~ ' * (passed.' ~ weight ~ '_until - passed.' ~ weight ~ '_weight)',
                'passed.' ~ weight ~ '_total'
            ) }})
            as bigint
        ) as {{ amount }},
        {%- endfor %}
        passed.date_key = shifts.date_key as is_first_day,
        shifts.total_cost_cents as shift_cost_cents
    from shifts
    inner join passed on shifts.tenant_id = passed.tenant_id and shifts.shift_id = passed.shift_id

)

select * from final
