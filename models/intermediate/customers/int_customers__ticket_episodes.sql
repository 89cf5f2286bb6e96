-- A ticket is open from its opening or a reopening until it is resolved. The row of the source holds the last of each
-- alone; what they were before stands in its history. A reopening of what was not resolved, as far as anybody knows,
-- begins nothing.
with tickets as (

    select * from {{ ref('stg_rentguy__tickets') }}
    where opened_at <= {{ as_of() }}

),

versions as (

    select * from {{ ref('stg_rentguy__ticket_versions') }}

),

answered as (

    select
        tickets.tenant_id,
        tickets.ticket_id,
        -- a reopened ticket keeps its first response; who resolves without a word before has answered by it
        min(case
            when versions.first_response_at >= tickets.opened_at then versions.first_response_at
        end) as first_response_at,
        min(case when versions.resolved_at >= tickets.opened_at then versions.resolved_at end) as first_resolved_at
    from tickets
    inner join versions on tickets.tenant_id = versions.tenant_id and tickets.ticket_id = versions.ticket_id
    group by tickets.tenant_id, tickets.ticket_id

),

beginnings as (

    select
        tenant_id,
        ticket_id,
        opened_at as began_at
    from tickets

    union

    select
        tickets.tenant_id,
        tickets.ticket_id,
        versions.reopened_at as began_at
    from tickets
    inner join versions on tickets.tenant_id = versions.tenant_id and tickets.ticket_id = versions.ticket_id
    where versions.reopened_at > tickets.opened_at and versions.reopened_at <= {{ as_of() }}

),

following as (

    select
        *,
        lead(began_at) over (partition by tenant_id, ticket_id order by began_at) as next_began_at
    from beginnings

),

resolutions as (

    select
        tenant_id,
        ticket_id,
        resolved_at,
        max(version_number) as version_number
    from versions
    where resolved_at is not null
    group by tenant_id, ticket_id, resolved_at

),

former_resolutions as (

    select
        following.tenant_id,
        following.ticket_id,
        following.began_at,
        {{ latest_by('resolutions.resolved_at', 'resolutions.version_number') }} as resolved_at
    from following
    inner join resolutions
        on
            following.tenant_id = resolutions.tenant_id
            and following.ticket_id = resolutions.ticket_id
            and following.began_at <= resolutions.resolved_at
            and following.next_began_at >= resolutions.resolved_at
    group by following.tenant_id, following.ticket_id, following.began_at

),

-- the last time that a ticket was open ends as its row says now
stretches as (

    select
        following.tenant_id,
        following.ticket_id,
        following.began_at,
        case
            when following.next_began_at is not null then former_resolutions.resolved_at
            when tickets.resolved_at >= following.began_at and tickets.resolved_at <= {{ as_of() }}
                then tickets.resolved_at
        end as resolved_at
    from following
    inner join tickets on following.tenant_id = tickets.tenant_id and following.ticket_id = tickets.ticket_id
    left join former_resolutions
        on
            following.tenant_id = former_resolutions.tenant_id
            and following.ticket_id = former_resolutions.ticket_id
            and following.began_at = former_resolutions.began_at

),

numbered as (

    select
        *,
        count(resolved_at) over (
            partition by tenant_id, ticket_id
            order by began_at rows between unbounded preceding and current row
        ) - case when resolved_at is null then 0 else 1 end as reopening_number
    from stretches

),

episodes as (

    select
        tenant_id,
        ticket_id,
        reopening_number,
        min(began_at) as began_at,
        max(resolved_at) as resolved_at
    from numbered
    group by tenant_id, ticket_id, reopening_number

),

final as (

    select
        tickets.product,
        episodes.tenant_id,
        episodes.ticket_id,
        episodes.reopening_number,

        episodes.reopening_number
        = max(episodes.reopening_number) over (partition by episodes.tenant_id, episodes.ticket_id) as is_last,

        tickets.opened_at,
        least(answered.first_response_at, answered.first_resolved_at) as answered_at,
        episodes.began_at,
        episodes.resolved_at
    from episodes
    inner join tickets on episodes.tenant_id = tickets.tenant_id and episodes.ticket_id = tickets.ticket_id
    left join answered on episodes.tenant_id = answered.tenant_id and episodes.ticket_id = answered.ticket_id

)

select * from final
