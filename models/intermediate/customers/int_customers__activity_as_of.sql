-- Use of the product by a paying customer in the windows before each Monday: the subscriber's own, or
-- everybody's in the tenant account where the account is the customer.
with customers as (

    select
        *,
        {{ local_date('as_of_at', "'UTC'") }} as as_of_date
    from {{ ref('int_customers__customers_as_of') }}

),

activity as (

    select * from {{ ref('int_customers__activity_days') }}

),

-- two equi-joins: one with `or` in it would compare every customer of a tenant with everything its users did
own_activity as (

    select
        customers.as_of_at,
        customers.as_of_date,
        customers.customer_id,
        activity.*
    from customers
    inner join activity
        on
            customers.tenant_id = activity.tenant_id
            and customers.user_id = activity.user_id
            and customers.product = activity.product
    where customers.activity_scope = 'user'

),

tenant_activity as (

    select
        customers.as_of_at,
        customers.as_of_date,
        customers.customer_id,
        activity.*
    from customers
    inner join activity
        on customers.tenant_id = activity.tenant_id and customers.product = activity.product
    where customers.activity_scope = 'tenant'

),

all_activity as (

    select * from own_activity

    union all

    select * from tenant_activity

),

windows as (

    select
        *,
        {{ days_between('activity_date', 'as_of_date') }} as days_ago
    from all_activity
    where known_from_date <= as_of_date and activity_date < as_of_date

),

final as (

    select
        as_of_at,
        customer_id,
        {{ sum_if('days_ago <= 7', 'event_count') }} as events_7_days,
        {{ sum_if('days_ago <= 28', 'event_count') }} as events_28_days,
        {{ count_distinct_if('days_ago <= 7', 'activity_date') }} as active_days_7_days,
        {{ count_distinct_if('days_ago <= 28', 'activity_date') }} as active_days_28_days,
        {{ count_distinct_if('days_ago between 29 and 56', 'activity_date') }} as active_days_28_days_before,
        {{ count_distinct_if('days_ago <= 28', 'user_id') }} as active_users_28_days,
        {{ sum_if('days_ago <= 28', 'session_count') }} as sessions_28_days,
        min(days_ago) as days_since_active
    from windows
    group by as_of_at, customer_id

)

select * from final
