with

daily as (

    select * from {{ ref('metrics_daily_engagement') }}

),

user_months as (

    select * from {{ ref('int_engagement__user_months') }}

),

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

-- what may be added over days; distinct users may not
added as (

    select
        product,
        tenant_id,
        {{ month_start('metric_date') }} as month_start,
        sum(new_users) as new_users,
        sum(sessions) as sessions,
        sum(user_sessions) as user_sessions,
        sum(session_minutes) as session_minutes,
        sum(active_minutes) as active_minutes
    from daily
    group by product, tenant_id, {{ month_start('metric_date') }}

),

actives as (

    select
        product,
        tenant_id,
        month_start,
        count(*) as active_users
    from user_months
    group by product, tenant_id, month_start

),

periods as (

    select
        added.month_start,
        added.product,
        added.tenant_id,
        {{ add_days(add_months('added.month_start', '1'), -1) }} as month_end,
        coalesce(actives.active_users, 0) as active_users,
        added.new_users,
        added.sessions,
        added.user_sessions,
        added.session_minutes,
        added.active_minutes,
        {{ add_days(add_months('added.month_start', '1'), -1) }} <= horizons.last_complete_date as is_complete
    from added
    inner join horizons
        on
            added.product = horizons.product
            and added.tenant_id = horizons.tenant_id
    left join actives
        on
            added.product = actives.product
            and added.tenant_id = actives.tenant_id
            and added.month_start = actives.month_start

),

final as (

    select
        month_start,
        month_end,
        product,
        tenant_id,
        active_users,
        cast(new_users as bigint) as new_users,
        cast(sessions as bigint) as sessions,
        case when is_complete then {{ rate('user_sessions', 'active_users') }} end as sessions_per_user,
        session_minutes,
        case when is_complete then {{ rate('session_minutes', 'sessions') }} end as avg_session_minutes,
        cast(active_minutes as bigint) as active_minutes,
        is_complete
    from periods

)

select * from final
