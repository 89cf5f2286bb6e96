-- What the clock of a tenant's business hours shows at each instant in the life of its tickets, so that minutes
-- between two of them are a difference. A tenant keeps the hours that the seed gives it, else those of its product,
-- else it never closes. Hours are by the wall clock: a whole day has 23 or 25 where clocks change.
{%- set midnight = 'cast(date_key as ' ~ type_local_timestamp() ~ ')' %}

with episodes as (

    select * from {{ ref('int_customers__ticket_episodes') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

hours as (

    select
        *,
        60 * cast(substring(opens_at, 1, 2) as integer)
        + cast(substring(opens_at, 4, 2) as integer) as opens_minute,
        60 * cast(substring(closes_at, 1, 2) as integer)
        + cast(substring(closes_at, 4, 2) as integer) as closes_minute
    from {{ ref('business_hours') }}

),

instants as (

    select
        product,
        tenant_id,
        opened_at as instant_at
    from episodes

    union

    select
        product,
        tenant_id,
        answered_at as instant_at
    from episodes
    where answered_at is not null

    union

    select
        product,
        tenant_id,
        resolved_at as instant_at
    from episodes
    where resolved_at is not null

    union

    select distinct
        product,
        tenant_id,
        {{ as_of() }} as instant_at
    from episodes

),

zoned as (

    select
        instants.product,
        instants.tenant_id,
        instants.instant_at,
        coalesce(tenants.timezone, 'UTC') as timezone,
        {{ local_date('instants.instant_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key
    from instants
    left join tenants on instants.tenant_id = tenants.tenant_id

),

horizons as (

    select
        product,
        tenant_id,
        timezone,
        min(date_key) as first_date,
        max(date_key) as last_date
    from zoned
    group by product, tenant_id, timezone

),

candidates as (

    select
        horizons.tenant_id,
        hours.iso_day_of_week,
        hours.opens_minute,
        hours.closes_minute,
        case when hours.tenant_id is null then 2 else 1 end as precedence,
        min(case when hours.tenant_id is null then 2 else 1 end) over (
            partition by horizons.tenant_id
        ) as best_precedence
    from horizons
    inner join hours on horizons.product = hours.product
    where hours.tenant_id is null or hours.tenant_id = cast(horizons.tenant_id as {{ type_string() }})

),

schedules as (

    select * from candidates
    where precedence = best_precedence

),

scheduled_tenants as (

    select distinct tenant_id from schedules

),

calendar as (

    select
        horizons.tenant_id,
        horizons.timezone,
        dates.date_key,
        dates.iso_day_of_week,
        scheduled_tenants.tenant_id is not null as has_schedule
    from horizons
    inner join dates on horizons.first_date <= dates.date_key and horizons.last_date >= dates.date_key
    left join scheduled_tenants on horizons.tenant_id = scheduled_tenants.tenant_id

),

-- a day on which a tenant is closed opens and closes at midnight
day_minutes as (

    select
        calendar.tenant_id,
        calendar.timezone,
        calendar.date_key,
        coalesce(schedules.opens_minute, 0) as opens_minute,
        coalesce(schedules.closes_minute, case when calendar.has_schedule then 0 else 1440 end) as closes_minute
    from calendar
    left join schedules
        on calendar.tenant_id = schedules.tenant_id and calendar.iso_day_of_week = schedules.iso_day_of_week

),

openings as (

    select
        tenant_id,
        date_key,
        {{ day_start(add_interval(midnight, 'opens_minute', 'minute'), 'timezone') }} as opens_at,
        {{ day_start(add_interval(midnight, 'closes_minute', 'minute'), 'timezone') }} as closes_at
    from day_minutes

),

running as (

    select
        *,
        coalesce(sum({{ seconds_between('opens_at', 'closes_at') }}) over (
            partition by tenant_id
            order by date_key, opens_at rows between unbounded preceding and 1 preceding
        ), 0) as seconds_before
    from openings

),

final as (

    select
        zoned.tenant_id,

        min(running.seconds_before) + sum(
            case
                when zoned.instant_at > running.opens_at
                    then {{ seconds_between('running.opens_at', 'least(zoned.instant_at, running.closes_at)') }}
                else 0
            end
        ) as business_seconds,

        zoned.instant_at
    from zoned
    inner join running on zoned.tenant_id = running.tenant_id and zoned.date_key = running.date_key
    group by zoned.tenant_id, zoned.instant_at

)

select * from final
