-- What was known of a group before a day on which a record came that reaches back, and from that day on. Each is told
-- as an account of its own, so that the ledger, which mixes no two accounts, works them out side by side.
with arrivals as (

    select * from {{ ref('int_revenue__stripe_arrivals') }}
    where cause is not null

    union all

    select * from {{ ref('int_revenue__store_arrivals') }}
    where cause is not null

),

days as (

    select
        provider,
        account,
        product,
        group_key,
        group_source_id,
        known_on,
        case when min(cause) = max(cause) then min(cause) else 'several' end as cause,
        max(load_id) as load_id
    from arrivals
    group by provider, account, product, group_key, group_source_id, known_on

),

sides as (

    select
        'before' as side,
        -1 as direction

    union all

    select
        'after' as side,
        1 as direction

),

final as (

    select
        days.account || '@' || cast(days.known_on as {{ type_string() }}) || '@' || sides.side || '@'
        || days.group_source_id as known_account,
        days.provider,
        days.account,
        days.product,
        days.group_key,
        days.known_on,
        days.cause,
        sides.side,
        sides.direction,
        days.load_id
    from days
    cross join sides

)

select * from final
