-- Hours for which a contributor is there on each day: a fifth of the week's capacity from Monday to Friday, less
-- leave, while employed; by the capacity that stood on the day, before the first that is known by that. Days go on to
-- the end of the month in which the last open task is due.
with contributors as (

    select * from {{ ref('stg_projectflo__contributors') }}

),

versions as (

    select * from {{ ref('stg_projectflo__contributor_versions') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

weeks as (

    select * from {{ ref('int_projects__weeks') }}

),

tasks as (

    select * from {{ ref('int_projects__open_tasks') }}

),

absences as (

    select * from {{ ref('stg_projectflo__availability') }}

),

dates as (

    select * from {{ ref('dim_date') }}
    where iso_day_of_week <= 5

),

firsts as (

    select
        tenant_id,
        min(week_start) as first_on
    from weeks
    group by tenant_id

),

lasts as (

    select
        tenant_id,
        max(due_on) as last_due_on
    from tasks
    group by tenant_id

),

spans as (

    select
        tenants.tenant_id,
        tenants.timezone,
        coalesce(firsts.first_on, {{ month_start('tenants.running_date') }}) as first_on,
        {{ month_start(add_days(
            month_start('greatest(tenants.running_date, coalesce(lasts.last_due_on, tenants.running_date))'), 31
        )) }} as before_on
    from tenants
    left join firsts on tenants.tenant_id = firsts.tenant_id
    left join lasts on tenants.tenant_id = lasts.tenant_id

),

days as (

    select
        contributors.tenant_id,
        contributors.contributor_id,
        spans.timezone,
        dates.date_key
    from contributors
    inner join spans on contributors.tenant_id = spans.tenant_id
    inner join dates on spans.first_on <= dates.date_key and spans.before_on > dates.date_key
    where
        dates.date_key >= coalesce(contributors.hired_on, dates.date_key)
        and dates.date_key <= coalesce(contributors.left_on, dates.date_key)

),

capacities as (

    select
        days.tenant_id,
        days.contributor_id,
        days.date_key,
        versions.weekly_capacity_hours,
        row_number() over (
            partition by days.tenant_id, days.contributor_id, days.date_key
            order by
                case
                    when {{ local_date('versions.committed_at', 'days.timezone') }} <= days.date_key
                        then -versions.version_number
                    else versions.version_number
                end
        ) as rank_number
    from days
    inner join versions on days.tenant_id = versions.tenant_id and days.contributor_id = versions.contributor_id

),

away as (

    select
        capacities.tenant_id,
        capacities.contributor_id,
        capacities.date_key,
        sum(coalesce(absences.hours_per_day, capacities.weekly_capacity_hours / 5)) as away_hours
    from capacities
    inner join absences
        on
            capacities.tenant_id = absences.tenant_id
            and capacities.contributor_id = absences.contributor_id
            and capacities.date_key >= absences.starts_on
            and capacities.date_key <= coalesce(absences.ends_on, absences.starts_on)
    where capacities.rank_number = 1
    group by capacities.tenant_id, capacities.contributor_id, capacities.date_key

),

final as (

    select
        capacities.tenant_id,
        capacities.contributor_id,

        capacities.date_key,

        greatest(capacities.weekly_capacity_hours / 5 - coalesce(away.away_hours, 0), 0) as available_hours
    from capacities
    left join away
        on
            capacities.tenant_id = away.tenant_id
            and capacities.contributor_id = away.contributor_id
            and capacities.date_key = away.date_key
    where capacities.rank_number = 1

)

select * from final
