with loaded as (

    select
        tenant_id,
        'bookings' as kind,
        count(*) as row_count
    from {{ ref('stg_rentguy__bookings') }}
    group by tenant_id

    union all

    select
        tenant_id,
        'transports' as kind,
        count(*) as row_count
    from {{ ref('stg_rentguy__transports') }}
    group by tenant_id

    union all

    select
        tenant_id,
        'scans' as kind,
        count(*) as row_count
    from {{ ref('fact_events') }} as events
    where
        product = 'rentguy'
        and event_name in ('scan.completed', 'scan.exception')
        and occurred_at <= {{ as_of() }}
        -- scans outlive the events that told of them
        {%- if closed_until('fact_local_days') %}
        and not {{ is_closed_day('events.product', 'events.tenant_id', 'events.date_key', 'fact_local_days') }}
        {%- endif %}
    group by tenant_id

    union all

    select
        tenant_id,
        'mentions' as kind,
        count(*) as row_count
    from {{ ref('int_rental__lead_mentions') }}
    group by tenant_id

),

published as (

    select
        tenant_id,
        'bookings' as kind,
        count(*) as row_count
    from {{ ref('fact_bookings') }}
    group by tenant_id

    union all

    select
        tenant_id,
        'transports' as kind,
        count(*) as row_count
    from {{ ref('fact_transports') }}
    group by tenant_id

    union all

    select
        tenant_id,
        'scans' as kind,
        count(*) as row_count
    from {{ ref('fact_scans') }} as scans
    {%- if closed_until('fact_local_days') %}
    where not {{ is_closed_day("'rentguy'", 'scans.tenant_id', 'scans.date_key', 'fact_local_days') }}
    {%- endif %}
    group by tenant_id

    union all

    select
        tenant_id,
        'mentions' as kind,
        sum(mention_count) as row_count
    from {{ ref('fact_leads') }}
    group by tenant_id

)

select
    coalesce(loaded.tenant_id, published.tenant_id) as tenant_id,
    coalesce(loaded.kind, published.kind) as kind
from loaded
full outer join published on loaded.tenant_id = published.tenant_id and loaded.kind = published.kind
where
    loaded.tenant_id is null
    or published.tenant_id is null
    or loaded.row_count <> published.row_count
