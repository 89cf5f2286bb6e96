with bookings as (

    select
        *,
        occupied_from_at < coalesce(occupied_until_at, {{ as_of() }}) as is_occupying
    from {{ ref('int_rental__bookings') }}

),

-- bookings of one piece of equipment that take some of the same time; where one ends another may begin
neighbours as (

    select
        tenant_id,
        booking_id,
        coalesce(
            occupied_from_at < max(coalesce(occupied_until_at, {{ as_of() }})) over (
                partition by tenant_id, equipment_id
                order by occupied_from_at, booking_id rows between unbounded preceding and 1 preceding
            ),
            false
        )
        or coalesce(
            coalesce(occupied_until_at, {{ as_of() }}) > min(occupied_from_at) over (
                partition by tenant_id, equipment_id
                order by occupied_from_at, booking_id rows between 1 following and unbounded following
            ),
            false
        ) as is_double_booked
    from bookings
    where is_occupying

),

final as (

    select
        bookings.booking_id,
        bookings.tenant_id,
        bookings.customer_id,
        bookings.equipment_id,
        bookings.project_id,

        bookings.status,
        bookings.currency,

        bookings.booking_value_cents,

        coalesce(neighbours.is_double_booked, false) as is_double_booked,

        bookings.booked_at,
        bookings.starts_at,
        bookings.ends_at,
        bookings.cancelled_at
    from bookings
    left join neighbours
        on bookings.tenant_id = neighbours.tenant_id and bookings.booking_id = neighbours.booking_id

)

select * from final
