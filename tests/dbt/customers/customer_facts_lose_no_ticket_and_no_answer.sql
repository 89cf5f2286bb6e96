with loaded as (

    select
        tenant_id,
        'tickets' as kind,
        count(*) as row_count
    from {{ ref('stg_rentguy__tickets') }}
    where opened_at <= {{ as_of() }}
    group by tenant_id

    union all

    select
        tenant_id,
        'open tickets' as kind,
        {{ count_if('resolved_at is null') }} as row_count
    from {{ ref('fact_tickets') }}
    group by tenant_id

    union all

    select
        tenant_id,
        'rental answers' as kind,
        count(*) as row_count
    from {{ ref('stg_rentguy__nps_responses') }}
    where responded_at <= {{ as_of() }}
    group by tenant_id

),

last_days as (

    select
        product,
        tenant_id,
        max(metric_date) as metric_date
    from {{ ref('metrics_daily_tickets') }}
    group by product, tenant_id

),

published as (

    select
        tenant_id,
        'tickets' as kind,
        count(*) as row_count
    from {{ ref('fact_tickets') }}
    group by tenant_id

    union all

    select
        daily.tenant_id,
        'open tickets' as kind,
        daily.backlog as row_count
    from {{ ref('metrics_daily_tickets') }} as daily
    inner join last_days
        on
            daily.product = last_days.product
            and daily.tenant_id = last_days.tenant_id
            and daily.metric_date = last_days.metric_date

    union all

    select
        tenant_id,
        'rental answers' as kind,
        count(*) as row_count
    from {{ ref('int_customers__survey_answers') }}
    where product = 'rentguy'
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
