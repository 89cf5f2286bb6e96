-- Time zone and country of a tenant as known when one of its shifts is judged.
with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

organizations as (

    select * from {{ ref('stg_rostracore__organization_versions') }}

),

timezones as (

    {{ known_timezones() }}

),

known as (

    select
        shifts.shift_id,
        shifts.as_of_at,
        organizations.*,
        row_number() over (
            partition by shifts.tenant_id, shifts.shift_id, shifts.as_of_at
            order by organizations.committed_at desc, organizations.version_number desc
        ) as recency
    from shifts
    inner join organizations
        on shifts.tenant_id = organizations.tenant_id and shifts.as_of_at >= organizations.received_at

),

final as (

    select
        known.tenant_id,
        known.shift_id,
        known.as_of_at,
        known.country_code,
        coalesce(timezones.timezone, 'UTC') as timezone
    from known
    left join timezones on known.timezone = timezones.timezone
    where known.recency = 1

)

select * from final
