-- A shift as it was known when it is judged: 48 hours before its start, or when that start became known if
-- that was later. A start that was moved gives a second row; the first one stays, because at its time it was
-- the truth.
with versions as (

    select * from {{ ref('stg_rostracore__shift_versions') }}

),

announced as (

    select
        tenant_id,
        shift_id,
        starts_at,
        min(received_at) as known_since
    from versions
    where starts_at is not null and tenant_id is not null
    group by tenant_id, shift_id, starts_at

),

moments as (

    select
        tenant_id,
        shift_id,
        starts_at,
        greatest(known_since, {{ add_interval('starts_at', -48, 'hour') }}) as as_of_at
    from announced
    where known_since < starts_at

),

known as (

    select
        moments.as_of_at,
        moments.starts_at as expected_starts_at,
        versions.*,
        row_number() over (
            partition by moments.tenant_id, moments.shift_id, moments.starts_at
            order by versions.committed_at desc, versions.version_number desc
        ) as recency
    from moments
    inner join versions
        on
            moments.tenant_id = versions.tenant_id
            and moments.shift_id = versions.shift_id
            and moments.as_of_at >= versions.received_at
    where moments.as_of_at <= {{ as_of() }}

),

final as (

    select
        tenant_id,
        shift_id,
        as_of_at,
        {{ local_date('as_of_at', "'UTC'") }} as as_of_date,
        site_id,
        required_skill,
        required_count,
        budget_amount,
        {{ seconds_between('starts_at', 'ends_at') }} / 3600 as duration_hours,
        {{ seconds_between('posted_at', 'starts_at') }} / 3600 as lead_hours,
        {{ seconds_between('as_of_at', 'starts_at') }} / 3600 as hours_to_start,
        starts_at,
        ends_at
    from known
    where recency = 1 and starts_at = expected_starts_at and status = 'open'

)

select * from final
