{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'event_date']}],
    meta={'affected': {'key': ['tenant_id', 'event_date'], 'days': 'utc', 'through': 'loads'}},
) }}

with

events as (

    select * from {{ ref('stg_events__events') }} as loaded
    where
        {{ is_affected('tenant_id', 'event_date') }}
        and {{ is_open_day('loaded') }}

),

open_days as (

    select
        product,
        tenant_id,

        count(*) as event_count,

        max(received_at) as last_received_at,
        {{ local_date('received_at', "'UTC'") }} as received_date,
        event_date
    from events
    group by product, tenant_id, event_date, {{ local_date('received_at', "'UTC'") }}

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'event_count', 'last_received_at', 'received_date', 'event_date',
    ]) }}

)

select * from final
