-- The departure that a transport is judged by. A plan that is less than 24 hours away stands: what is planned anew
-- after that changes nothing, so the first plan counts that was not replaced before then.
with versions as (

    select * from {{ ref('stg_rentguy__transport_versions') }}
    where planned_departure_at is not null

),

compared as (

    select
        *,
        lag(planned_departure_at) over (
            partition by tenant_id, transport_id order by version_number
        ) as former_departure_at
    from versions

),

plans as (

    select
        *,
        lead(committed_at) over (partition by tenant_id, transport_id order by version_number) as replaced_at
    from compared
    where former_departure_at is null or former_departure_at <> planned_departure_at

),

standing as (

    select
        *,
        row_number() over (partition by tenant_id, transport_id order by version_number) as place
    from plans
    where
        replaced_at is null
        or replaced_at > {{ add_interval('planned_departure_at', -24, 'hour') }}

),

replanned as (

    select
        tenant_id,
        transport_id,
        count(*) - 1 as replan_count
    from plans
    group by tenant_id, transport_id

),

final as (

    select
        standing.tenant_id,
        standing.transport_id,

        replanned.replan_count,

        standing.planned_departure_at
    from standing
    inner join replanned
        on standing.tenant_id = replanned.tenant_id and standing.transport_id = replanned.transport_id
    where standing.place = 1

)

select * from final
