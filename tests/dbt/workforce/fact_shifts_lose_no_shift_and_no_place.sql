with loaded as (

    select
        shifts.tenant_id,
        count(distinct shifts.shift_id) as shift_count,
        count(assignments.assignment_id) as place_count
    from {{ ref('stg_rostracore__shifts') }} as shifts
    left join {{ ref('stg_rostracore__shift_assignments') }} as assignments
        on
            shifts.tenant_id = assignments.tenant_id
            and shifts.shift_id = assignments.shift_id
            and assignments.status in ('accepted', 'completed')
    group by shifts.tenant_id

),

published as (

    select
        tenant_id,
        count(*) as shift_count,
        sum(filled_count) as place_count
    from {{ ref('fact_shifts') }}
    group by tenant_id

)

select coalesce(loaded.tenant_id, published.tenant_id) as tenant_id
from loaded
full outer join published on loaded.tenant_id = published.tenant_id
where
    loaded.tenant_id is null
    or published.tenant_id is null
    or loaded.shift_count <> published.shift_count
    or loaded.place_count <> published.place_count
