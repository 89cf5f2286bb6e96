{{ config(
    materialized='incremental',
    meta={'affected': {'key': ['tenant_id', 'event_date'], 'days': 'utc', 'whole': true}},
) }}

with

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

-- no event is kept that says it is more than a day ahead of its own delivery
days as (

    select {{ as_of_date("'UTC'") }} as event_date

    union all

    select {{ add_days(as_of_date("'UTC'"), 1) }} as event_date

),

final as (

    select
        tenants.tenant_id,
        days.event_date,
        {{ hour_start(as_of()) }} as running_hour_at
    from tenants
    cross join days
    -- before anything is loaded no hour runs
    where days.event_date is not null

)

select * from final
