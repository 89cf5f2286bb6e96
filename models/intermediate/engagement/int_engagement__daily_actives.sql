{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local', 'reach': 29}},
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
    where {{ is_affected('tenant_id', 'date_key') }}

),

users as (

    select * from {{ ref('int_engagement__users') }}
    where {{ is_affected('tenant_id', 'first_date') }}

),

calendar as (

    select * from {{ ref('int_engagement__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

-- whoever comes back on the same day is counted together
spells as (

    select
        product,
        tenant_id,
        date_key,
        next_date_key,
        count(*) as user_count
    from user_days
    group by product, tenant_id, date_key, next_date_key

),

-- a user enters the trailing windows with each active day and leaves each of them
-- on the next active day or when the window has passed, whichever comes first
changes as (

    select
        product,
        tenant_id,
        date_key as metric_date,
        user_count as day_change,
        user_count as week_change,
        user_count as four_week_change,
        user_count as month_change,
        0 as new_users
    from spells

    union all

    select
        product,
        tenant_id,
        case
            when next_date_key < {{ add_days('date_key', 7) }} then next_date_key
            else {{ add_days('date_key', 7) }}
        end as metric_date,
        0 as day_change,
        -user_count as week_change,
        0 as four_week_change,
        0 as month_change,
        0 as new_users
    from spells

    union all

    select
        product,
        tenant_id,
        case
            when next_date_key < {{ add_days('date_key', 30) }} then next_date_key
            else {{ add_days('date_key', 30) }}
        end as metric_date,
        0 as day_change,
        0 as week_change,
        0 as four_week_change,
        -user_count as month_change,
        0 as new_users
    from spells

    union all

    select
        product,
        tenant_id,
        case
            when next_date_key < {{ add_days('date_key', 28) }} then next_date_key
            else {{ add_days('date_key', 28) }}
        end as metric_date,
        0 as day_change,
        0 as week_change,
        -user_count as four_week_change,
        0 as month_change,
        0 as new_users
    from spells

    union all

    select
        product,
        tenant_id,
        first_date as metric_date,
        0 as day_change,
        0 as week_change,
        0 as four_week_change,
        0 as month_change,
        1 as new_users
    from users

    union all

    -- a day without any change has the numbers of the day before
    select
        product,
        tenant_id,
        metric_date,
        0 as day_change,
        0 as week_change,
        0 as four_week_change,
        0 as month_change,
        0 as new_users
    from calendar

),

daily_changes as (

    select
        product,
        tenant_id,
        metric_date,
        sum(day_change) as dau,
        sum(week_change) as week_change,
        sum(four_week_change) as four_week_change,
        sum(month_change) as month_change,
        sum(new_users) as new_users
    from changes
    group by product, tenant_id, metric_date

),

running as (

    select
        product,
        tenant_id,
        metric_date,
        dau,
        sum(week_change) over tenant_days as wau,
        sum(four_week_change) over tenant_days as active_users_28,
        sum(month_change) over tenant_days as mau,
        new_users
    from daily_changes
    window tenant_days as (partition by product, tenant_id order by metric_date)

),

final as (

    select
        running.product,
        running.tenant_id,
        running.metric_date,
        cast(running.dau as bigint) as dau,
        cast(running.wau as bigint) as wau,
        cast(running.active_users_28 as bigint) as active_users_28,
        cast(running.mau as bigint) as mau,
        cast(running.new_users as bigint) as new_users
    from running
    inner join calendar
        on
            running.product = calendar.product
            and running.tenant_id = calendar.tenant_id
            and running.metric_date = calendar.metric_date

)

select * from final
