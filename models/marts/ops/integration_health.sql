with event_arrivals as (

    select * from {{ ref('int_ops__event_arrivals') }}

),

changes as (

    select * from {{ ref('stg_ops__changes') }}

),

stripe_events as (

    select * from {{ ref('stg_stripe__events') }}

),

store_events as (

    select * from {{ ref('stg_revenuecat__events') }}

),

loads as (

    select * from {{ ref('stg_ops__loads') }}

),

rejections as (

    select * from {{ ref('stg_ops__rejections') }}

),

arrivals as (

    select
        'events' as source_kind,
        product as source_name,
        received_date as metric_date,
        sum(event_count) as records,
        max(last_received_at) as last_received_at
    from event_arrivals
    group by product, received_date

    union all

    select
        'cdc' as source_kind,
        product as source_name,
        {{ local_date('received_at', "'UTC'") }} as metric_date,
        count(*) as records,
        max(received_at) as last_received_at
    from changes
    where received_at is not null
    group by product, {{ local_date('received_at', "'UTC'") }}

    union all

    select
        'stripe' as source_kind,
        account as source_name,
        {{ local_date('received_at', "'UTC'") }} as metric_date,
        count(*) as records,
        max(received_at) as last_received_at
    from stripe_events
    group by account, {{ local_date('received_at', "'UTC'") }}

    union all

    select
        'revenuecat' as source_kind,
        project as source_name,
        {{ local_date('received_at', "'UTC'") }} as metric_date,
        count(*) as records,
        max(received_at) as last_received_at
    from store_events
    group by project, {{ local_date('received_at', "'UTC'") }}

),

refusals as (

    select
        rejections.source_kind,
        rejections.source_name,
        {{ local_date('loads.loaded_at', "'UTC'") }} as metric_date,
        count(*) as failures
    from rejections
    inner join loads on rejections.load_id = loads.load_id
    group by rejections.source_kind, rejections.source_name, {{ local_date('loads.loaded_at', "'UTC'") }}

),

sources as (

    select
        source_kind,
        source_name,
        min(metric_date) as first_date
    from arrivals
    group by source_kind, source_name

),

days as (

    select
        sources.source_kind,
        sources.source_name,
        dates.date_key as metric_date
    from sources
    inner join {{ ref('dim_date') }} as dates
        on
            sources.first_date <= dates.date_key
            and dates.date_key <= {{ local_date(as_of(), "'UTC'") }}

    union

    select
        source_kind,
        source_name,
        metric_date
    from refusals

),

known as (

    select
        days.source_kind,
        days.source_name,
        days.metric_date,
        coalesce(arrivals.records, 0) as records,
        coalesce(refusals.failures, 0) as failures,
        max(arrivals.last_received_at) over (
            partition by days.source_kind, days.source_name order by days.metric_date
        ) as last_event_at,
        least({{ day_start(add_days('days.metric_date', 1), "'UTC'") }}, {{ as_of() }}) as judged_at
    from days
    left join arrivals
        on
            days.source_kind = arrivals.source_kind
            and days.source_name = arrivals.source_name
            and days.metric_date = arrivals.metric_date
    left join refusals
        on
            days.source_kind = refusals.source_kind
            and days.source_name = refusals.source_name
            and days.metric_date = refusals.metric_date

),

final as (

    select
        source_kind || '/' || source_name as source,
        metric_date,

        source_kind,
        source_name,

        cast(records as bigint) as records,
        failures,
        case
            when judged_at >= last_event_at and judged_at >= {{ day_start('metric_date', "'UTC'") }}
                then round({{ seconds_between('last_event_at', 'judged_at') }} / 60, 2)
        end as lag_minutes,

        last_event_at
    from known

)

select * from final
