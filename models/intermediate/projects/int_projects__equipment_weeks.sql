-- Hours of each week in which equipment was booked, and in which it was under maintenance: overlapping bookings count
-- once, hours of maintenance are not booked ones. The time line of each item is cut wherever anything begins or ends.
with bookings as (

    select * from {{ ref('stg_projectflo__equipment_bookings') }}
    where coalesce(lower(status), '') <> 'cancelled' and ends_at > starts_at

),

weeks as (

    select * from {{ ref('int_projects__weeks') }}

),

items as (

    select
        tenant_id,
        equipment_id,
        min(starts_at) as first_at
    from bookings
    group by tenant_id, equipment_id

),

item_weeks as (

    select
        items.tenant_id,
        items.equipment_id,
        weeks.week_start,
        weeks.week_hours,
        weeks.is_complete,
        weeks.starts_at
    from items
    inner join weeks on items.tenant_id = weeks.tenant_id and items.first_at < weeks.ends_at

),

cuts as (

    select
        tenant_id,
        equipment_id,
        starts_at as cut_at,
        week_start,
        0 as booked_change,
        0 as maintained_change
    from item_weeks

    union all

    select
        tenant_id,
        equipment_id,
        starts_at as cut_at,
        cast(null as date) as week_start,
        case when kind = 'maintenance' then 0 else 1 end as booked_change,
        case when kind = 'maintenance' then 1 else 0 end as maintained_change
    from bookings

    union all

    select
        tenant_id,
        equipment_id,
        ends_at as cut_at,
        cast(null as date) as week_start,
        case when kind = 'maintenance' then 0 else -1 end as booked_change,
        case when kind = 'maintenance' then -1 else 0 end as maintained_change
    from bookings

),

instants as (

    select
        tenant_id,
        equipment_id,
        cut_at,
        max(week_start) as week_start,
        sum(booked_change) as booked_change,
        sum(maintained_change) as maintained_change
    from cuts
    group by tenant_id, equipment_id, cut_at

),

segments as (

    select
        tenant_id,
        equipment_id,
        max(week_start) over (
            partition by tenant_id, equipment_id
            order by cut_at
        ) as week_start,
        sum(booked_change) over (
            partition by tenant_id, equipment_id
            order by cut_at
        ) as booked,
        sum(maintained_change) over (
            partition by tenant_id, equipment_id
            order by cut_at
        ) as maintained,
        cut_at,
        lead(cut_at) over (
            partition by tenant_id, equipment_id
            order by cut_at
        ) as next_cut_at
    from instants

),

measured as (

    select
        tenant_id,
        equipment_id,
        week_start,
        {{ sum_if('booked > 0 and maintained = 0', seconds_between('cut_at', 'next_cut_at')) }} as booked_seconds,
        {{ sum_if('maintained > 0', seconds_between('cut_at', 'next_cut_at')) }} as maintained_seconds
    from segments
    where week_start is not null and next_cut_at is not null
    group by tenant_id, equipment_id, week_start

),

final as (

    select
        item_weeks.equipment_id,
        item_weeks.tenant_id,

        item_weeks.week_start,

        item_weeks.week_hours,
        coalesce({{ rate('measured.booked_seconds', '3600') }}, 0) as booked_hours,
        coalesce({{ rate('measured.maintained_seconds', '3600') }}, 0) as maintenance_hours,

        item_weeks.is_complete
    from item_weeks
    left join measured
        on
            item_weeks.tenant_id = measured.tenant_id
            and item_weeks.equipment_id = measured.equipment_id
            and item_weeks.week_start = measured.week_start

)

select * from final
