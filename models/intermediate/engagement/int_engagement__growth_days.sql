{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts'}},
) }}

with

events as (

    select * from {{ ref('fact_events') }}

),

growth_events as (

    select * from {{ ref('growth_events') }}

),

open_days as (

    select
        events.product,
        events.tenant_id,
        events.user_id,

        growth_events.growth_role,

        count(*) as event_count,

        events.date_key
    from events
    inner join growth_events
        on events.product = growth_events.product and events.event_name = growth_events.event_name
    where {{ is_affected('events.tenant_id', 'events.date_key') }} and {{ is_open_day('events') }}
    group by events.product, events.tenant_id, events.user_id, growth_events.growth_role, events.date_key

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'user_id', 'growth_role', 'event_count', 'date_key',
    ]) }}

)

select * from final
