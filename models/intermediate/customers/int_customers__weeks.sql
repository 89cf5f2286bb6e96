-- The as-of times of the weekly models: every Monday, 00:00 UTC, up to as_of. They begin when 28 days of use
-- are known: subscriptions reach further back than events, and silence before the first event says nothing
-- about a customer.
with activity as (

    select min(known_from_date) as first_date
    from {{ ref('int_customers__activity_days') }}

),

days as (

    {{ date_spine(
        '(select ' ~ add_days('first_date', 28) ~ ' from activity)', as_of_date("'UTC'")
    ) }}

),

final as (

    select
        date_day as as_of_date,
        {{ day_start('date_day', "'UTC'") }} as as_of_at
    from days
    where {{ iso_day_of_week('date_day') }} = 1

)

select * from final
