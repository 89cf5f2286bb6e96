-- How many of a tenant's guards know a skill from practice, by day on which a shift that asks for it is
-- judged: they took a place of such a shift in the 90 days before. Certifications name other things than the
-- skills of shifts.
with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

assignments as (

    select * from {{ ref('stg_rostracore__shift_assignment_versions') }}
    where status = 'accepted'

),

shift_skills as (

    select
        tenant_id,
        shift_id,
        {{ earliest_by('required_skill', 'received_at, version_number') }} as required_skill,
        min(received_at) as known_since
    from {{ ref('stg_rostracore__shift_versions') }}
    group by tenant_id, shift_id

),

acceptances as (

    select distinct
        assignments.tenant_id,
        assignments.employee_id,
        shift_skills.required_skill,
        {{ local_date('greatest(assignments.received_at, shift_skills.known_since)', "'UTC'") }} as known_date
    from assignments
    inner join shift_skills
        on assignments.tenant_id = shift_skills.tenant_id and assignments.shift_id = shift_skills.shift_id

),

days as (

    select distinct
        tenant_id,
        as_of_date,
        required_skill
    from shifts

),

final as (

    select
        days.tenant_id,
        days.as_of_date,
        days.required_skill,
        count(distinct acceptances.employee_id) as guard_count
    from days
    inner join acceptances
        on
            days.tenant_id = acceptances.tenant_id
            and days.required_skill = acceptances.required_skill
            and days.as_of_date > acceptances.known_date
            and {{ add_days('days.as_of_date', -90) }} <= acceptances.known_date
    group by days.tenant_id, days.as_of_date, days.required_skill

)

select * from final
