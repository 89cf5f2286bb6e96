{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts'}},
) }}

with

events as (

    select * from {{ ref('fact_events') }}

),

event_roles as (

    select * from {{ ref('engagement_event_roles') }}

),

open_days as (

    select
        events.product,
        events.tenant_id,
        events.date_key,
        {{ count_if("event_roles.role = 'notification_sent'") }} as notifications_sent,
        {{ count_if("event_roles.role = 'notification_delivered'") }} as notifications_delivered,
        {{ count_if("event_roles.role = 'notification_opened'") }} as notifications_opened,
        {{ count_if("event_roles.role = 'notification_opt_out'") }} as notification_opt_outs,
        avg(
            case
                when event_roles.role = 'listen'
                    then {{ json_number('events.properties', 'listened_rate') }}
            end
        ) as listen_through_rate
    from events
    inner join event_roles on events.event_name = event_roles.event_name
    where {{ is_affected('events.tenant_id', 'events.date_key') }} and {{ is_open_day('events') }}
    group by events.product, events.tenant_id, events.date_key

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'date_key', 'notifications_sent', 'notifications_delivered',
        'notifications_opened', 'notification_opt_outs', 'listen_through_rate',
    ]) }}

)

select * from final
