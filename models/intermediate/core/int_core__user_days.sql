{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'event_date']}, {'columns': ['tenant_id', 'user_id']}],
    meta={'affected': {
        'key': ['tenant_id', 'event_date'],
        'days': 'utc',
        'closed_with': 'facts',
        'notes': {'user_id': 'user_id'},
    }},
) }}

with events as (

    select * from {{ ref('fact_events') }}

),

open_days as (

    select
        tenant_id,
        user_id,

        product,
        min(country_code) as country_code,

        count(*) as event_count,

        bool_and(is_anonymous) as is_anonymous,

        min(occurred_at) as first_event_at,
        min(date_key) as first_date_key,
        event_date
    from events
    where
        user_id is not null
        and {{ is_affected('events.tenant_id', 'events.event_date', near='events.date_key') }}
        and {{ is_open_day('events') }}
    group by tenant_id, user_id, product, event_date

),

final as (

    {{ open_and_closed_days([
        'tenant_id', 'user_id', 'product', 'country_code', 'event_count', 'is_anonymous',
        'first_event_at', 'first_date_key', 'event_date',
    ]) }}

)

select * from final
