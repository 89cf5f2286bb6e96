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
                case event_name
                    when 'order_created' then 0
                    when 'order_assigned' then 1
                    when 'order_submitted' then 2
                    when 'order_approved' then 3
                    when 'order_rejected' then 3
                    else 4
                end,
                event_id
        ) as position
    from {{ ref('int_fulfilment__events') }}
    where event_domain = 'orders' and {{ is_affected('tenant_id', 'entity_key') }}

),

orders as (

    select
        tenant_id,
        entity_key,
        coalesce({{ first_named('service_code', 'position') }}, 'unknown') as service_code,
        coalesce({{ first_named('country_code', 'position') }}, 'unknown') as country_code,
        min(case when event_name = 'order_created' then occurred_at end) as created_at,
        {{ count_if("event_name = 'order_rejected'") }} as rejection_count,
        {{ count_if("event_name = 'order_cancelled'") }} > 0 as is_cancelled
    from events
    group by tenant_id, entity_key

),

placed as (

    select
        events.*,
        orders.service_code as order_service_code,
        orders.country_code as order_country_code,
        orders.created_at,
        orders.rejection_count,
        orders.is_cancelled,
        row_number() over (
            partition by events.tenant_id, events.entity_key, events.event_name order by events.position
        ) as occurrence,
        row_number() over (
            partition by events.tenant_id, events.entity_key, events.event_name, events.reader_id
            order by events.position
        ) as reader_occurrence,
        max(case when events.event_name = 'order_assigned' then events.position end) over (
            partition by events.tenant_id, events.entity_key order by events.position
        ) as assignment_position,
        min(case when events.event_name in ('order_approved', 'order_rejected') then events.occurred_at end) over (
            partition by events.tenant_id, events.entity_key
            order by events.position rows between 1 following and unbounded following
        ) as next_decision_at,
        min(case when events.event_name in ('order_approved', 'order_rejected') then events.date_key end) over (
            partition by events.tenant_id, events.entity_key
            order by events.position rows between 1 following and unbounded following
        ) as next_decision_date
    from events
    inner join orders on events.tenant_id = orders.tenant_id and events.entity_key = orders.entity_key

),

-- an event without a reader belongs to the reader whom its order was last assigned to
read as (

    select
        placed.*,
        coalesce(placed.reader_id, assignments.reader_id) as order_reader_id
    from placed
    left join events as assignments
        on
            placed.tenant_id = assignments.tenant_id
            and placed.entity_key = assignments.entity_key
            and placed.assignment_position = assignments.position

),

steps as (

    select
        *,
        case event_name
            when 'order_created' then 'created'
            when 'order_assigned' then 'assigned'
            when 'order_completed' then 'completed'
            when 'order_cancelled' then 'cancelled'
            when 'order_approved' then 'approved'
            when 'order_rejected' then 'rejected'
        end as step,
        case
            when event_name = 'order_assigned' then {{ seconds_until('created_at', 'occurred_at') }}
            when event_name = 'order_completed' and not is_cancelled
                then {{ seconds_until('created_at', 'occurred_at') }}
        end as seconds,
        date_key as step_date
    from read
    where event_name in ('order_approved', 'order_rejected') or (event_name <> 'order_submitted' and occurrence = 1)

    union all

    select
        *,
        'assigned to reader' as step,
        null as seconds,
        date_key as step_date
    from read
    where event_name = 'order_assigned' and reader_occurrence = 1

    union all

    select
        *,
        'judged' as step,
        {{ seconds_between('occurred_at', 'next_decision_at') }} as seconds,
        next_decision_date as step_date
    from read
    where event_name = 'order_submitted' and next_decision_at is not null

),

final as (

    select
        tenant_id,
        entity_key,
        event_id,
        step,
        order_reader_id as reader_id,

        order_service_code as service_code,
        order_country_code as country_code,

        seconds,
        rejection_count,

        step_date as date_key,
        occurred_at
    from steps
    where step is not null

)

select * from final
