with transports as (

    select * from {{ ref('fact_transports') }}
    where is_on_time is not null

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

counted as (

    select
        date_key as metric_date,
        tenant_id,
        count(*) as departures_planned,
        {{ count_if('is_on_time') }} as departures_on_time,
        cast({{ median('delay_minutes') }} as {{ type_numeric() }}) as delay_minutes_median
    from transports
    group by date_key, tenant_id

),

completed as (

    select
        counted.*,
        counted.metric_date < {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }} as is_complete
    from counted
    left join tenants on counted.tenant_id = tenants.tenant_id

),

final as (

    select
        metric_date,
        tenant_id,

        departures_planned,
        departures_on_time,
        case when is_complete then {{ rate('departures_on_time', 'departures_planned') }} end
            as on_time_departure_rate,
        round(delay_minutes_median, 3) as delay_minutes_median,

        is_complete
    from completed

)

select * from final
