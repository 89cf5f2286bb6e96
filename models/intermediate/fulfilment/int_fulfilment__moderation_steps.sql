{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}, {'columns': ['tenant_id', 'entity_key']}],
    meta={'affected': {
        'key': ['tenant_id', 'entity_key'],
        'notes': {'local_day': 'date_key'},
    }},
) }}

with

events as (

    select
        *,
        row_number() over (
            partition by tenant_id, entity_key
            order by
                occurred_at,
                case event_name when 'content_flagged' then 0 when 'moderation_decision' then 1 else 2 end,
                event_id
        ) as position
    from {{ ref('int_fulfilment__events') }}
    where event_domain = 'moderation' and {{ is_affected('tenant_id', 'entity_key') }}

),

-- content may be flagged anew after a decision; each decision ends a round
rounds as (

    select
        *,
        coalesce(
            sum(case when event_name = 'moderation_decision' then 1 else 0 end) over (
                partition by tenant_id, entity_key
                order by position rows between unbounded preceding and 1 preceding
            ),
            0
        ) as round_number
    from events

),

waiting as (

    select
        *,
        min(case when event_name = 'content_flagged' then occurred_at end) over (
            partition by tenant_id, entity_key, round_number
        ) as flagged_at
    from rounds

),

final as (

    select
        tenant_id,
        entity_key,
        event_id,
        case event_name
            when 'content_flagged' then 'flagged'
            when 'moderation_decision' then 'decided'
            when 'appeal_submitted' then 'appealed'
        end as step,

        case
            when event_name = 'moderation_decision' then {{ seconds_until('flagged_at', 'occurred_at') }}
        end as seconds,

        date_key,
        occurred_at
    from waiting
    where event_name in ('content_flagged', 'moderation_decision', 'appeal_submitted')

)

select * from final
