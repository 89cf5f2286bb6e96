with tasks as (

    select * from {{ ref('int_projects__open_tasks') }}
    where due_on is not null and skill is not null

),

skills as (

    select * from {{ ref('int_projects__contributor_skills') }}

),

contributor_days as (

    select * from {{ ref('int_projects__contributor_days') }}

),

demand as (

    select
        tenant_id,
        skill,
        {{ month_start('due_on') }} as month_start,
        sum(coalesce(estimated_hours, 0)) as demanded_hours
    from tasks
    group by tenant_id, skill, {{ month_start('due_on') }}

),

capacity as (

    select
        tenant_id,
        contributor_id,
        {{ month_start('date_key') }} as month_start,
        sum(available_hours) as available_hours
    from contributor_days
    group by tenant_id, contributor_id, {{ month_start('date_key') }}

),

counted as (

    select
        tenant_id,
        contributor_id,
        skill,
        count(*) over (partition by tenant_id, contributor_id) as skill_count
    from skills

),

supply as (

    select
        counted.tenant_id,
        counted.skill,
        capacity.month_start,
        sum({{ rate('capacity.available_hours', 'counted.skill_count') }}) as available_hours
    from counted
    inner join capacity
        on counted.tenant_id = capacity.tenant_id and counted.contributor_id = capacity.contributor_id
    group by counted.tenant_id, counted.skill, capacity.month_start

),

-- every skill that is asked for or there, in every month in which an open task is due
months as (

    select distinct
        tenant_id,
        month_start
    from demand

),

known_skills as (

    select
        tenant_id,
        skill
    from demand

    union distinct

    select
        tenant_id,
        skill
    from skills

),

final as (

    select
        months.tenant_id,

        months.month_start,
        known_skills.skill,

        coalesce(demand.demanded_hours, 0) as demanded_hours,
        coalesce(supply.available_hours, 0) as available_hours,
        coalesce(demand.demanded_hours, 0) - coalesce(supply.available_hours, 0) as gap_hours,

        coalesce(demand.demanded_hours, 0) > coalesce(supply.available_hours, 0) as is_gap
    from months
    inner join known_skills on months.tenant_id = known_skills.tenant_id
    left join demand
        on
            months.tenant_id = demand.tenant_id
            and months.month_start = demand.month_start
            and known_skills.skill = demand.skill
    left join supply
        on
            months.tenant_id = supply.tenant_id
            and months.month_start = supply.month_start
            and known_skills.skill = supply.skill

)

select * from final
