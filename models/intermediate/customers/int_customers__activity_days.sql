-- Use of the products by user and UTC day, split by the Monday on which it was known, so that late events
-- count from the week they arrived in. Users as the events name them: what is stitched later was not known
-- then.
{{ config(
    materialized='incremental',
    meta={'affected': {'key': ['tenant_id', 'activity_date'], 'days': 'utc', 'through': 'loads'}},
) }}

with events as (

    select
        *,
        {{ add_days(
            week_start(local_date(add_interval('received_at', -1, 'microsecond'), "'UTC'")), 7
        ) }} as known_from_date
    from {{ ref('stg_events__events') }} as loaded
    where
        user_id is not null
        and {{ is_affected('tenant_id', 'event_date') }}
        and {{ is_open_day('loaded') }}

),

scopes as (

    select * from {{ ref('churn_activity_scopes') }}

),

open_days as (

    select
        events.tenant_id,
        events.user_id,
        events.event_date as activity_date,
        events.known_from_date,
        events.product,
        count(*) as event_count,
        count(distinct events.session_id) as session_count
    from events
    inner join scopes on events.product = scopes.product
    group by events.tenant_id, events.user_id, events.event_date, events.known_from_date, events.product

),

final as (

    {{ open_and_closed_days([
        'tenant_id', 'user_id', 'activity_date', 'known_from_date', 'product', 'event_count',
        'session_count',
    ]) }}

)

select * from final
