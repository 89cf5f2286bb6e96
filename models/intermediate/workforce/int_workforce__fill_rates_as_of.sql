-- What had become of the shifts of the last 90 days, for each day on which a shift is judged.
{% set last_90_days = 'range between 90 preceding and current row' %}

with days as (

    select * from {{ ref('int_workforce__fill_days') }}

),

summed_up as (

    select
        tenant_id,
        site_id,
        required_skill,
        known_date,
        sum(shift_count) over (
            partition by tenant_id, site_id order by day_number {{ last_90_days }}
        ) as site_shift_count,
        sum(filled_count) over (
            partition by tenant_id, site_id order by day_number {{ last_90_days }}
        ) as site_filled_count,
        sum(shift_count) over (
            partition by tenant_id, required_skill order by day_number {{ last_90_days }}
        ) as skill_shift_count,
        sum(filled_count) over (
            partition by tenant_id, required_skill order by day_number {{ last_90_days }}
        ) as skill_filled_count,
        sum(shift_count) over (
            partition by tenant_id order by day_number {{ last_90_days }}
        ) as tenant_shift_count,
        sum(filled_count) over (
            partition by tenant_id order by day_number {{ last_90_days }}
        ) as tenant_filled_count,
        sum(accepted_count) over (
            partition by tenant_id order by day_number {{ last_90_days }}
        ) as tenant_accepted_count,
        sum(rejected_count) over (
            partition by tenant_id order by day_number {{ last_90_days }}
        ) as tenant_rejected_count
    from days

),

final as (

    select
        tenant_id,
        site_id,
        required_skill,
        known_date,
        {{ rate('site_filled_count', 'site_shift_count') }} as site_fill_rate_90_days,
        {{ rate('skill_filled_count', 'skill_shift_count') }} as skill_fill_rate_90_days,
        {{ rate('tenant_filled_count', 'tenant_shift_count') }} as tenant_fill_rate_90_days,
        {{ rate(
            'tenant_rejected_count', 'tenant_accepted_count + tenant_rejected_count'
        ) }} as tenant_rejection_rate_90_days
    from summed_up

)

select * from final
