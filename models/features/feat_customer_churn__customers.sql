with customers as (

    select * from {{ ref('int_customers__customers_as_of') }}

),

activity as (

    select * from {{ ref('int_customers__activity_as_of') }}

),

coaching as (

    select * from {{ ref('int_customers__coaching_as_of') }}

),

failed_payments as (

    select * from {{ ref('int_customers__failed_payments') }}

),

failures as (

    select
        customers.as_of_at,
        customers.customer_id,
        {{ count_if(
            'failed_payments.occurred_at > ' ~ add_interval('customers.as_of_at', -28, 'day')
        ) }} as failed_payments_28_days,
        count(*) as failed_payments_ever
    from customers
    inner join failed_payments
        on
            customers.as_of_at = failed_payments.as_of_at
            and customers.customer_id = failed_payments.customer_id
    group by customers.as_of_at, customers.customer_id

),

final as (

    select
        customers.tenant_id,
        customers.customer_id,
        customers.as_of_at,

        customers.product,
        customers.plan,
        customers.billing_interval,

        cast(customers.quantity as bigint) as quantity,
        {{ seconds_between('customers.first_paid_at', 'customers.as_of_at') }} / 86400 as tenure_days,
        {{ seconds_between('customers.as_of_at', 'customers.paid_until_at') }} / 86400 as days_to_renewal,
        customers.is_cancel_requested,
        customers.is_past_due,
        cast(coalesce(failures.failed_payments_28_days, 0) as bigint) as failed_payments_28_days,
        cast(coalesce(failures.failed_payments_ever, 0) as bigint) as failed_payments_ever,

        cast(coalesce(activity.events_7_days, 0) as bigint) as events_7_days,
        cast(coalesce(activity.events_28_days, 0) as bigint) as events_28_days,
        cast(coalesce(activity.active_days_7_days, 0) as bigint) as active_days_7_days,
        cast(coalesce(activity.active_days_28_days, 0) as bigint) as active_days_28_days,
        cast(
            coalesce(activity.active_days_28_days - activity.active_days_28_days_before, 0) as bigint
        ) as active_days_change,
        activity.days_since_active,
        cast(coalesce(activity.sessions_28_days, 0) as bigint) as sessions_28_days,
        cast(coalesce(activity.active_users_28_days, 0) as bigint) as active_users_28_days,

        coaching.goals_created_28_days,
        coaching.goals_completed_28_days,
        coaching.habit_checkins_28_days,
        coaching.mood_score_28_days,
        coaching.chat_sessions_28_days,
        coaching.chat_rating_28_days,
        coaching.nudges_28_days
    from customers
    left join activity
        on
            customers.as_of_at = activity.as_of_at
            and customers.customer_id = activity.customer_id
    left join coaching
        on
            customers.as_of_at = coaching.as_of_at
            and customers.customer_id = coaching.customer_id
    left join failures
        on
            customers.as_of_at = failures.as_of_at
            and customers.customer_id = failures.customer_id

)

select * from final
