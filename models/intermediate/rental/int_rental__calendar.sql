{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'metric_date'],
        'days': 'local',
        'by': 'days_of_moved_rental_horizons',
        'fixed': ['dim_date'],
    }},
) }}

with

horizons as (

    select * from {{ ref('int_rental__tenant_horizons') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

final as (

    select
        horizons.product,
        horizons.tenant_id,
        dates.date_key as metric_date,
        dates.date_key < horizons.running_date as is_complete,
        case when dates.date_key = horizons.running_date then horizons.as_of_at end as known_until_at
    from horizons
    inner join dates
        on
            horizons.first_date <= dates.date_key
            and horizons.running_date >= dates.date_key
    where {{ is_affected('horizons.tenant_id', 'dates.date_key') }}

)

select * from final
