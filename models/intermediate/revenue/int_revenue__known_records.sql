with editions as (

    select * from {{ ref('int_revenue__editions') }}

),

arrivals as (

    select * from {{ ref('int_revenue__stripe_arrivals') }}

    union all

    select * from {{ ref('int_revenue__store_arrivals') }}

),

final as (

    select
        editions.provider,
        editions.known_account,
        arrivals.event_id,
        arrivals.event_key
    from editions
    inner join arrivals on editions.group_key = arrivals.group_key
    where
        arrivals.known_on < editions.known_on
        or (arrivals.known_on = editions.known_on and editions.side = 'after')

)

select * from final
