-- A booking occupies its equipment from its start until it ends or is cancelled; cancelled before its start it never
-- does. Where the source says no time of the cancellation, that of the change that made it so stands for it.
with bookings as (

    select
        *,
        lower(trim(status)) as booking_status,
        coalesce(
            cancelled_at, case when lower(trim(status)) in ('cancelled', 'canceled') then committed_at end
        ) as ended_early_at
    from {{ ref('stg_rentguy__bookings') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

priced as (

    select
        bookings.*,
        coalesce(bookings.currency, tenants.currency, '{{ var("reporting_currency") }}') as booking_currency,
        coalesce(bookings.ended_early_at <= bookings.starts_at, false) as is_cancelled_before_start
    from bookings
    left join tenants on bookings.tenant_id = tenants.tenant_id

),

final as (

    select
        priced.booking_id,
        priced.tenant_id,
        priced.customer_id,
        priced.equipment_id,
        priced.project_id,

        priced.booking_status as status,
        priced.booking_currency as currency,

        {{ to_minor_units(
            'priced.booking_value_amount', 'currencies.minor_unit_exponent'
        ) }} as booking_value_cents,

        priced.booked_at,
        priced.starts_at,
        priced.ends_at,
        priced.ended_early_at as cancelled_at,
        case when not priced.is_cancelled_before_start then priced.starts_at end as occupied_from_at,
        case
            when not priced.is_cancelled_before_start then least(priced.ends_at, priced.ended_early_at)
        end as occupied_until_at
    from priced
    left join currencies on priced.booking_currency = currencies.currency

)

select * from final
