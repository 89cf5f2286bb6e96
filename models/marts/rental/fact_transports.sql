with transports as (

    select
        *,
        lower(trim(status)) as transport_status
    from {{ ref('stg_rentguy__transports') }}

),

plans as (

    select * from {{ ref('int_rental__transport_plans') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

judged as (

    select
        transports.*,
        plans.planned_departure_at as counted_departure_at,
        coalesce(plans.replan_count, 0) as replan_count,
        {{ add_interval(
            'plans.planned_departure_at', var('transport_tolerance_minutes'), 'minute'
        ) }} as on_time_until_at,
        coalesce(transports.transport_status in ('cancelled', 'canceled'), false) as is_cancelled,
        coalesce(tenants.timezone, 'UTC') as timezone
    from transports
    left join plans
        on transports.tenant_id = plans.tenant_id and transports.transport_id = plans.transport_id
    left join tenants on transports.tenant_id = tenants.tenant_id

),

final as (

    select
        transport_id,
        tenant_id,
        booking_id,

        direction,
        transport_status as status,

        replan_count,
        case
            when not is_cancelled
                then round({{ seconds_between('counted_departure_at', 'departed_at') }} / 60, 3)
        end as delay_minutes,

        -- who has not departed is late once the limit has passed, and nothing before
        case
            when is_cancelled then null
            when departed_at is not null then departed_at <= on_time_until_at
            when on_time_until_at < {{ as_of() }} then false
        end as is_on_time,

        {{ local_date('counted_departure_at', 'timezone') }} as date_key,
        counted_departure_at as planned_departure_at,
        departed_at,
        arrived_at
    from judged

)

select * from final
