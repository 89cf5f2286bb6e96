{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'event_date']}],
    meta={'affected': {'key': ['tenant_id', 'event_date'], 'days': 'utc', 'through': 'loads'}},
) }}

with events as (

    select * from {{ ref('stg_events__events') }}

),

open_days as (

    select
        product,
        tenant_id,

        count(*) as event_count,

        min(occurred_at) as first_event_at,
        event_date
    from events
    where
        {{ is_affected('events.tenant_id', 'events.event_date') }}
        and {{ is_open_day('events') }}
    group by product, tenant_id, event_date

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'event_count', 'first_event_at', 'event_date',
    ]) }}

)

select * from final
