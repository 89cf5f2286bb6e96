{#- Who pays under which ids, of RevenueCat's staged events `told`: a row per project and id. Ids that one event names
    together are one person: app_user_id, original_app_user_id and every alias. The closure of that relation gives each
    id its payer: a known id before an anonymous one, then the id that was seen first. A transfer from nobody but
    anonymous ids is a person signing in, and so names one person too; any other moves a purchase between two. -#}
{% macro store_payers(told) -%}
    with recursive

    events as (

        select * from {{ told }}
        where event_type <> 'TRANSFER'

    ),

    transfers as (

        {{ store_transfers(told) }}

    ),

    known_givers as (

        select distinct
            project,
            event_id
        from transfers
        where giver_source_id not like '$RCAnonymousID:%'

    ),

    named as (

        select
            project,
            occurred_at,
            user_source_id,
            original_user_source_id as other_source_id
        from events

        union all

        select
            events.project,
            events.occurred_at,
            events.user_source_id,
            replace(cast(alias.value as {{ type_string() }}), '"', '') as other_source_id
        from events
        {{ json_array_lateral('events.aliases', none, 'alias') }}

        union all

        select
            transfers.project,
            transfers.occurred_at,
            transfers.taker_source_id as user_source_id,
            transfers.giver_source_id as other_source_id
        from transfers
        left join known_givers
            on transfers.project = known_givers.project and transfers.event_id = known_givers.event_id
        where known_givers.event_id is null

    ),

    edges as (

        select distinct
            project,
            user_source_id,
            other_source_id
        from named
        where user_source_id <> other_source_id

        union

        select distinct
            project,
            other_source_id,
            user_source_id
        from named
        where user_source_id <> other_source_id

    ),

    seen as (

        select
            project,
            source_id,
            min(occurred_at) as first_seen_at
        from (
            select
                project,
                occurred_at,
                user_source_id as source_id
            from named
            union all
            select
                project,
                occurred_at,
                other_source_id as source_id
            from named
        ) as ids
        where source_id is not null
        group by project, source_id

    ),

    reachable as (

        select
            project,
            source_id,
            source_id as reached_source_id
        from seen

        union

        select
            reachable.project,
            reachable.source_id,
            edges.other_source_id as reached_source_id
        from reachable
        inner join edges
            on reachable.project = edges.project and reachable.reached_source_id = edges.user_source_id

    ),

    ranked as (

        select
            reachable.project,
            reachable.source_id,
            reachable.reached_source_id as payer_source_id,
            row_number() over (
                partition by reachable.project, reachable.source_id
                order by
                    case when reachable.reached_source_id like '$RCAnonymousID:%' then 1 else 0 end,
                    seen.first_seen_at,
                    reachable.reached_source_id
            ) as preference
        from reachable
        inner join seen
            on reachable.project = seen.project and reachable.reached_source_id = seen.source_id

    ),

    final as (

        select
            project,
            source_id,
            payer_source_id
        from ranked
        where preference = 1

    )

    select * from final
{%- endmacro %}
