-- What became of the offer of a shift to a guard, and when the guard works. Who was offered the same shift again is
-- counted by the offer that holds: the one that takes a place, else the newest.
with assignments as (

    select * from {{ ref('stg_rostracore__shift_assignments') }}

),

versions as (

    select * from {{ ref('stg_rostracore__shift_assignment_versions') }}

),

shifts as (

    select * from {{ ref('stg_rostracore__shifts') }}

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

-- what was given up later had been answered all the same
answers as (

    select
        tenant_id,
        assignment_id,
        {{ latest_by('status', 'committed_at, version_number') }} as status
    from versions
    where status in ('accepted', 'completed', 'rejected')
    group by tenant_id, assignment_id

),

answered as (

    select
        assignments.*,
        case
            when assignments.status in ('accepted', 'completed') then 'accepted'
            when assignments.status = 'rejected' then 'rejected'
            when assignments.status = 'offered' then null
            when answers.status = 'rejected' then 'rejected'
            when answers.status is not null then 'accepted'
        end as answer
    from assignments
    left join answers
        on assignments.tenant_id = answers.tenant_id and assignments.assignment_id = answers.assignment_id

),

ranked as (

    select
        *,
        count(*) over (partition by tenant_id, shift_id, employee_id) as offer_count,
        row_number() over (
            partition by tenant_id, shift_id, employee_id
            order by
                case when status in ('accepted', 'completed') then 1 else 2 end,
                offered_at desc,
                assignment_id desc
        ) as place
    from answered

),

timed as (

    select
        ranked.*,
        shifts.site_id,
        shifts.roster_id,
        shifts.starts_at,
        shifts.ends_at,
        ranked.status in ('accepted', 'completed') as has_place,
        ranked.status in ('accepted', 'completed')
        and coalesce(shifts.status, 'open') <> 'cancelled' as is_taken,
        coalesce(ranked.started_at, shifts.starts_at) < coalesce(ranked.ended_at, shifts.ends_at) as is_sensible
    from ranked
    left join shifts on ranked.tenant_id = shifts.tenant_id and ranked.shift_id = shifts.shift_id
    where ranked.place = 1

),

-- what the guard signed counts where it is known and makes sense, else what was planned
worked as (

    select
        *,
        case when is_sensible then coalesce(started_at, starts_at) else starts_at end as works_from_at,
        case when is_sensible then coalesce(ended_at, ends_at) else ends_at end as works_to_at
    from timed

),

final as (

    select
        worked.shift_id,
        worked.employee_id,
        worked.tenant_id,
        worked.assignment_id,
        worked.site_id,
        worked.roster_id,

        worked.status,
        worked.answer,
        tenants.timezone,
        tenants.currency,
        tenants.shift_hours,
        {{ local_date('worked.starts_at', 'tenants.timezone') }} as date_key,

        worked.offer_count,
        {%- for kind in ['regular', 'overtime', 'premium', 'travel'] %}
        case
            when worked.has_place
                then {{ to_minor_units('worked.' ~ kind ~ '_cost_amount', 'tenants.minor_unit_exponent') }}
        end as {{ kind }}_cost_cents,
        {%- endfor %}

        worked.is_taken,
        coalesce(worked.is_taken and worked.works_to_at <= {{ as_of() }}, false) as is_over,
        worked.started_at <= {{ add_interval(
            'worked.starts_at', var('punctuality_tolerance_minutes'), 'minute'
        ) }} as is_punctual,

        worked.starts_at,
        worked.ends_at,
        worked.offered_at,
        worked.responded_at as answered_at,
        worked.started_at,
        worked.ended_at,
        case when worked.is_taken then worked.works_from_at end as works_from_at,
        case when worked.is_taken then worked.works_to_at end as works_to_at
    from worked
    inner join tenants on worked.tenant_id = tenants.tenant_id

)

select * from final
