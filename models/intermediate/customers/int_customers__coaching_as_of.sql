-- What a subscriber of the coaching product did in the 28 days before each Monday.
with customers as (

    select
        *,
        {{ local_date('as_of_at', "'UTC'") }} as as_of_date
    from {{ ref('int_customers__customers_as_of') }}
    where product = 'upcoach'

),

coaching as (

    select * from {{ ref('int_customers__coaching_days') }}

),

windows as (

    select
        customers.as_of_at,
        customers.customer_id,
        coaching.signal,
        coaching.signal_count,
        coaching.signal_value
    from customers
    inner join coaching
        on
            customers.tenant_id = coaching.tenant_id
            and customers.user_id = coaching.user_id
            and customers.as_of_date >= coaching.known_from_date
    where
        coaching.signal_date < customers.as_of_date
        and coaching.signal_date >= {{ add_days('customers.as_of_date', -28) }}

),

final as (

    select
        customers.as_of_at,
        customers.customer_id,
        cast(
            coalesce({{ sum_if("windows.signal = 'goal_created'", 'windows.signal_count') }}, 0) as bigint
        ) as goals_created_28_days,
        cast(
            coalesce({{ sum_if("windows.signal = 'goal_completed'", 'windows.signal_count') }}, 0) as bigint
        ) as goals_completed_28_days,
        cast(
            coalesce({{ sum_if("windows.signal = 'habit_checkin'", 'windows.signal_count') }}, 0) as bigint
        ) as habit_checkins_28_days,
        cast(
            coalesce({{ sum_if("windows.signal = 'chat_session'", 'windows.signal_count') }}, 0) as bigint
        ) as chat_sessions_28_days,
        cast(
            coalesce({{ sum_if("windows.signal = 'nudge'", 'windows.signal_count') }}, 0) as bigint
        ) as nudges_28_days,
        {{ rate(
            sum_if("windows.signal = 'mood'", 'windows.signal_value'),
            sum_if("windows.signal = 'mood'", 'windows.signal_count')
        ) }} as mood_score_28_days,
        {{ rate(
            sum_if("windows.signal = 'chat_rating'", 'windows.signal_value'),
            sum_if("windows.signal = 'chat_rating'", 'windows.signal_count')
        ) }} as chat_rating_28_days
    from customers
    left join windows
        on customers.as_of_at = windows.as_of_at and customers.customer_id = windows.customer_id
    group by customers.as_of_at, customers.customer_id

)

select * from final
