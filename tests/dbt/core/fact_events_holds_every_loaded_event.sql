with loaded as (

    select
        tenant_id,
        event_date,
        count(*) as event_count
    from {{ ref('stg_events__events') }} as events
    where {{ is_open_day('events') }}
    group by tenant_id, event_date

),

modelled as (

    select
        tenant_id,
        event_date,
        count(*) as event_count
    from {{ ref('fact_events') }} as events
    where {{ is_open_day('events') }}
    group by tenant_id, event_date

)

select
    coalesce(loaded.tenant_id, modelled.tenant_id) as tenant_id,
    coalesce(loaded.event_date, modelled.event_date) as event_date,
    loaded.event_count as loaded_count,
    modelled.event_count as modelled_count
from loaded
full join modelled on loaded.tenant_id = modelled.tenant_id and loaded.event_date = modelled.event_date
where coalesce(loaded.event_count, 0) <> coalesce(modelled.event_count, 0)
