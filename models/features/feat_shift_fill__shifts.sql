with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

progress as (

    select * from {{ ref('int_workforce__shift_progress') }}
    where moment = 'as_of'

),

tenants as (

    select * from {{ ref('int_workforce__tenants_as_of') }}

),

places as (

    select * from {{ ref('int_workforce__places_that_day') }}

),

rates as (

    select * from {{ ref('int_workforce__fill_rates_as_of') }}

),

guards as (

    select
        tenant_id,
        as_of_date,
        count(*) as guard_count,
        avg(hourly_pay_amount) as hourly_pay_amount
    from {{ ref('int_workforce__guards_as_of') }}
    group by tenant_id, as_of_date

),

practised_guards as (

    select * from {{ ref('int_workforce__practised_guards_as_of') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

localised as (

    select
        shifts.*,
        tenants.country_code,
        {{ local_timestamp('shifts.starts_at', "coalesce(tenants.timezone, 'UTC')") }} as starts_local,
        {{ local_date('shifts.starts_at', "coalesce(tenants.timezone, 'UTC')") }} as start_date
    from shifts
    left join tenants
        on
            shifts.tenant_id = tenants.tenant_id
            and shifts.shift_id = tenants.shift_id
            and shifts.as_of_at = tenants.as_of_at

),

final as (

    select
        localised.tenant_id,
        localised.shift_id,
        localised.as_of_at,

        localised.required_skill,

        localised.hours_to_start,
        localised.lead_hours,
        localised.duration_hours,
        localised.required_count,
        {{ hour_of_day('localised.starts_local') }} as local_start_hour,
        dates.iso_day_of_week as iso_weekday,
        {{ month_of_year('localised.start_date') }} as month_of_year,
        case
            when localised.country_code = 'ZA' then cast(dates.is_holiday_za as integer)
            when localised.country_code = 'NL' then cast(dates.is_holiday_nl as integer)
        end as is_holiday,

        {{ rate('coalesce(progress.accepted_count, 0)', 'localised.required_count') }} as accepted_share,
        greatest(localised.required_count - coalesce(progress.accepted_count, 0), 0) as open_count,
        coalesce(progress.pending_count, 0) as pending_count,
        coalesce(progress.rejected_count, 0) as rejected_count,
        {{ rate(
            'localised.budget_amount',
            'localised.required_count * localised.duration_hours * guards.hourly_pay_amount'
        ) }} as budget_per_guard_hour_ratio,

        guards.guard_count as guards_employed_count,
        case
            when guards.guard_count is not null then coalesce(practised_guards.guard_count, 0)
        end as guards_with_practice_count,
        places.place_count as places_that_day_count,
        rates.site_fill_rate_90_days,
        rates.tenant_fill_rate_90_days,
        rates.skill_fill_rate_90_days,
        rates.tenant_rejection_rate_90_days
    from localised
    left join dates on localised.start_date = dates.date_key
    left join progress
        on
            localised.tenant_id = progress.tenant_id
            and localised.shift_id = progress.shift_id
            and localised.as_of_at = progress.as_of_at
    left join places
        on
            localised.tenant_id = places.tenant_id
            and localised.shift_id = places.shift_id
            and localised.as_of_at = places.as_of_at
    left join rates
        on
            localised.tenant_id = rates.tenant_id
            and localised.site_id = rates.site_id
            and coalesce(localised.required_skill, '') = coalesce(rates.required_skill, '')
            and localised.as_of_date = rates.known_date
    left join guards on localised.tenant_id = guards.tenant_id and localised.as_of_date = guards.as_of_date
    left join practised_guards
        on
            localised.tenant_id = practised_guards.tenant_id
            and localised.as_of_date = practised_guards.as_of_date
            and localised.required_skill = practised_guards.required_skill

)

select * from final
