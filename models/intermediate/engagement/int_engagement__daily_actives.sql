{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'by': 'affected_engagement_days', 'columns': ['tenant_id', 'metric_date']}},
) }}

with

user_days as (

    select
        product,
        tenant_id,
        user_id,
        date_key,
        lead(date_key) over (partition by product, tenant_id, user_id order by date_key) as next_date_key
    from {{ ref('int_engagement__user_days') }}
    where {{ within_affected_windows('date_key') }}

),

users as (

    select * from {{ ref('int_engagement__users') }}
    where {{ within_affected_windows('first_date') }}

),

calendar as (

    select
        horizons.product,
        horizons.tenant_id,
        dates.date_key as metric_date
    from {{ ref('int_engagement__tenant_horizons') }} as horizons
    inner join {{ ref('dim_date') }} as dates
        on
            horizons.first_date <= dates.date_key
            and horizons.running_date >= dates.date_key
    where {{ within_affected_windows('dates.date_key') }}

),

-- a user enters the trailing windows with each active day and leaves each of them
-- on the next active day or when the window has passed, whichever comes first
entries as (

    select
        product,
        tenant_id,
        date_key as metric_date,
        1 as day_change,
        1 as week_change,
        1 as month_change,
        0 as new_users
    from user_days

),

week_exits as (

    select
        product,
        tenant_id,
        case
            when next_date_key < {{ add_days('date_key', 7) }} then next_date_key
            else {{ add_days('date_key', 7) }}
        end as metric_date,
        0 as day_change,
        -1 as week_change,
        0 as month_change,
        0 as new_users
    from user_days

),

month_exits as (

    select
        product,
        tenant_id,
        case
            when next_date_key < {{ add_days('date_key', 30) }} then next_date_key
            else {{ add_days('date_key', 30) }}
        end as metric_date,
        0 as day_change,
        0 as week_change,
        -1 as month_change,
        0 as new_users
    from user_days

),

first_days as (

    select
        product,
        tenant_id,
        first_date as metric_date,
        0 as day_change,
        0 as week_change,
        0 as month_change,
        1 as new_users
    from users

),

changes as (

    select * from entries
    union all
    select * from week_exits
    union all
    select * from month_exits
    union all
    select * from first_days

),

daily_changes as (

    select
        product,
        tenant_id,
        metric_date,
        sum(day_change) as dau,
        sum(week_change) as week_change,
        sum(month_change) as month_change,
        sum(new_users) as new_users
    from changes
    group by product, tenant_id, metric_date

),

running as (

    select
        calendar.product,
        calendar.tenant_id,
        calendar.metric_date,
        coalesce(daily_changes.dau, 0) as dau,
        coalesce(sum(daily_changes.week_change) over tenant_days, 0) as wau,
        coalesce(sum(daily_changes.month_change) over tenant_days, 0) as mau,
        coalesce(daily_changes.new_users, 0) as new_users
    from calendar
    left join daily_changes
        on
            calendar.product = daily_changes.product
            and calendar.tenant_id = daily_changes.tenant_id
            and calendar.metric_date = daily_changes.metric_date
    window tenant_days as (partition by calendar.product, calendar.tenant_id order by calendar.metric_date)

),

final as (

    select
        product,
        tenant_id,
        metric_date,
        cast(dau as bigint) as dau,
        cast(wau as bigint) as wau,
        cast(mau as bigint) as mau,
        cast(new_users as bigint) as new_users
    from running
    where {{ is_affected('tenant_id', 'metric_date') }}

)

select * from final
