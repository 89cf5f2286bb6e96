{%- set parts = ['begun', 'punctual', 'generated', 'confirmed', 'answered'] %}

with shifts as (

    select * from {{ ref('fact_shifts') }}

),

offers as (

    select * from {{ ref('int_workforce__offers') }}

),

rosters as (

    select * from {{ ref('stg_rostracore__rosters') }}

),

guard_days as (

    select * from {{ ref('int_workforce__guard_days') }}

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

begun as (

    select
        tenant_id,
        date_key,
        count(*) as shift_count,
        sum(required_count) as required_places,
        {{ sum_if('required_count is not null', 'least(filled_count, required_count)') }} as filled_places
    from shifts
    where status <> 'cancelled'
    group by tenant_id, date_key

),

punctual as (

    select
        tenant_id,
        date_key,
        count(is_punctual) as timed_starts,
        {{ count_if('is_punctual') }} as punctual_starts
    from offers
    where is_taken
    group by tenant_id, date_key

),

generated as (

    select
        rosters.tenant_id,
        {{ local_date('rosters.created_at', 'tenants.timezone') }} as date_key,
        count(rosters.violation_count) as judged_rosters,
        {{ count_if('rosters.violation_count = 0') }} as compliant_rosters
    from rosters
    inner join tenants on rosters.tenant_id = tenants.tenant_id
    group by rosters.tenant_id, {{ local_date('rosters.created_at', 'tenants.timezone') }}

),

confirmed as (

    select
        rosters.tenant_id,
        {{ local_date('rosters.confirmed_at', 'tenants.timezone') }} as date_key,
        count(*) as confirmed_rosters,
        -- in seconds: hours are no whole number of decimals, so that half a cent would be less than half a cent
        sum(tenants.manual_hours * 3600 - cast(rosters.duration_seconds as {{ type_numeric() }})) as saved_seconds
    from rosters
    inner join tenants on rosters.tenant_id = tenants.tenant_id
    where rosters.confirmed_at is not null
    group by rosters.tenant_id, {{ local_date('rosters.confirmed_at', 'tenants.timezone') }}

),

answered as (

    select
        tenant_id,
        {{ local_date('answered_at', 'timezone') }} as date_key,
        count(*) as answered_offers,
        {{ count_if("answer = 'accepted'") }} as accepted_offers
    from offers
    where answer is not null and answered_at is not null
    group by tenant_id, {{ local_date('answered_at', 'timezone') }}

),

days as (

    select
        guard_days.date_key as metric_date,
        guard_days.tenant_id,

        tenants.currency,

        coalesce(begun.shift_count, 0) as shift_count,
        coalesce(begun.required_places, 0) as required_places,
        coalesce(begun.filled_places, 0) as filled_places,
        coalesce(generated.judged_rosters, 0) as judged_rosters,
        coalesce(generated.compliant_rosters, 0) as compliant_rosters,
        coalesce(confirmed.confirmed_rosters, 0) as confirmed_rosters,
        round(coalesce(confirmed.saved_seconds, 0) / 3600, 6) as time_saved_hours,
        case
            when confirmed.tenant_id is null then 0
            else {{ to_minor_units(
                'confirmed.saved_seconds * tenants.scheduler_pay_amount / 3600', 'tenants.minor_unit_exponent'
            ) }}
        end as cost_savings_cents,
        guard_days.employed_guards,
        guard_days.active_guards,
        round(guard_days.worked_hours, 6) as worked_hours,
        round(guard_days.employed_guards * tenants.week_hours / 7, 6) as available_hours,
        guard_days.fairness_gini,
        coalesce(punctual.timed_starts, 0) as timed_starts,
        coalesce(punctual.punctual_starts, 0) as punctual_starts,
        coalesce(answered.answered_offers, 0) as answered_offers,
        coalesce(answered.accepted_offers, 0) as accepted_offers,

        guard_days.date_key < tenants.running_date as is_complete
    from guard_days
    inner join tenants on guard_days.tenant_id = tenants.tenant_id
    {%- for part in parts %}
    left join {{ part }}
        on guard_days.tenant_id = {{ part }}.tenant_id and guard_days.date_key = {{ part }}.date_key
    {%- endfor %}

),

final as (

    select
        metric_date,
        tenant_id,

        currency,

        shift_count,
        required_places,
        filled_places,
        case when is_complete then {{ rate('filled_places', 'required_places') }} end as fill_rate,
        judged_rosters,
        compliant_rosters,
        case when is_complete then {{ rate('compliant_rosters', 'judged_rosters') }} end as compliance_rate,
        confirmed_rosters,
        time_saved_hours,
        cost_savings_cents,
        employed_guards,
        active_guards,
        worked_hours,
        available_hours,
        case when is_complete then {{ rate('worked_hours', 'available_hours') }} end as utilisation_rate,
        case when is_complete then fairness_gini end as fairness_gini,
        timed_starts,
        punctual_starts,
        case when is_complete then {{ rate('punctual_starts', 'timed_starts') }} end as punctuality_rate,
        answered_offers,
        accepted_offers,
        case when is_complete then {{ rate('accepted_offers', 'answered_offers') }} end as shift_acceptance_rate,

        is_complete
    from days

)

select * from final
