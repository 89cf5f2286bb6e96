{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'event_date']}, {'columns': ['tenant_id', 'anonymous_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'event_date'],
        'days': 'utc',
        'through': 'loads',
        'notes': {'anonymous_id': 'anonymous_id'},
    }},
) }}

with events as (

    select * from {{ ref('stg_events__events') }}

),

open_days as (

    select distinct
        product,
        tenant_id,
        anonymous_id,
        event_date
    from events
    where
        anonymous_id is not null
        and user_id is null
        and {{ is_affected('events.tenant_id', 'events.event_date') }}
        and {{ is_open_day('events') }}

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'anonymous_id', 'event_date',
    ]) }}

)

select * from final
