-- How far the staffing of a shift had come, by what had been received: when it is judged (`as_of`), and a
-- day after its start (`result`), when it counts as history for other shifts.
with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

assignments as (

    select * from {{ ref('stg_rostracore__shift_assignment_versions') }}

),

moments as (

    select
        tenant_id,
        shift_id,
        as_of_at,
        'as_of' as moment,
        as_of_at as known_at
    from shifts

    union all

    select
        tenant_id,
        shift_id,
        as_of_at,
        'result' as moment,
        {{ add_interval('starts_at', 24, 'hour') }} as known_at
    from shifts

),

known as (

    select
        moments.tenant_id,
        moments.shift_id,
        moments.as_of_at,
        moments.moment,
        assignments.status,
        row_number() over (
            partition by
                moments.tenant_id,
                moments.shift_id,
                moments.as_of_at,
                moments.moment,
                assignments.assignment_id
            order by assignments.committed_at desc, assignments.version_number desc
        ) as recency
    from moments
    inner join assignments
        on
            moments.tenant_id = assignments.tenant_id
            and moments.shift_id = assignments.shift_id
            and moments.known_at >= assignments.received_at

),

final as (

    select
        tenant_id,
        shift_id,
        as_of_at,
        moment,
        {{ count_if("status in ('accepted', 'completed')") }} as accepted_count,
        {{ count_if("status = 'offered'") }} as pending_count,
        {{ count_if("status = 'rejected'") }} as rejected_count
    from known
    where recency = 1
    group by tenant_id, shift_id, as_of_at, moment

)

select * from final
