with episodes as (

    select * from {{ ref('int_customers__ticket_episodes') }}

),

tickets as (

    select * from {{ ref('fact_tickets') }}

),

clock as (

    select * from {{ ref('int_customers__ticket_clock') }}

),

slas as (

    select * from {{ ref('ticket_slas') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

-- each resolution counts on its own day, also one after which the ticket was opened anew
resolved as (

    select
        episodes.product,
        episodes.tenant_id,
        episodes.resolved_at,
        (resolution_clock.business_seconds - open_clock.business_seconds) / 60 as resolution_minutes,
        tickets.is_first_response_breached
        or (resolution_clock.business_seconds - open_clock.business_seconds) / 60 > slas.resolution_minutes
            as is_sla_breached
    from episodes
    inner join tickets on episodes.tenant_id = tickets.tenant_id and episodes.ticket_id = tickets.ticket_id
    inner join clock as open_clock
        on episodes.tenant_id = open_clock.tenant_id and episodes.opened_at = open_clock.instant_at
    inner join clock as resolution_clock
        on episodes.tenant_id = resolution_clock.tenant_id and episodes.resolved_at = resolution_clock.instant_at
    left join slas on tickets.priority = slas.priority

),

steps as (

    select
        product,
        tenant_id,
        opened_at as step_at,
        'opened' as step,
        cast(null as {{ type_numeric() }}) as minutes,
        cast(null as boolean) as is_sla_breached
    from episodes
    where reopening_number = 0

    union all

    select
        product,
        tenant_id,
        began_at as step_at,
        'reopened' as step,
        cast(null as {{ type_numeric() }}) as minutes,
        cast(null as boolean) as is_sla_breached
    from episodes
    where reopening_number > 0

    union all

    select
        product,
        tenant_id,
        first_response_at as step_at,
        'answered' as step,
        first_response_minutes as minutes,
        cast(null as boolean) as is_sla_breached
    from tickets
    where first_response_at is not null

    union all

    select
        product,
        tenant_id,
        resolved_at as step_at,
        'resolved' as step,
        resolution_minutes as minutes,
        is_sla_breached
    from resolved

),

dated as (

    select
        steps.*,
        {{ local_date('steps.step_at', "coalesce(tenants.timezone, 'UTC')") }} as metric_date
    from steps
    left join tenants on steps.tenant_id = tenants.tenant_id

),

counted as (

    select
        metric_date,
        product,
        tenant_id,
        {{ count_if("step = 'opened'") }} as opened,
        {{ count_if("step = 'reopened'") }} as reopened,
        {{ count_if("step = 'answered'") }} as answered,
        {{ count_if("step = 'resolved'") }} as resolved,
        {{ count_if("step = 'resolved' and is_sla_breached is not null") }} as sla_judged,
        {{ count_if('is_sla_breached') }} as sla_breached,
        cast({{ median("case when step = 'answered' then minutes end") }} as {{ type_numeric() }})
            as first_response_minutes_median,
        cast({{ median("case when step = 'resolved' then minutes end") }} as {{ type_numeric() }})
            as resolution_minutes_median
    from dated
    group by metric_date, product, tenant_id

),

horizons as (

    select
        counted.product,
        counted.tenant_id,
        min(counted.metric_date) as first_date,
        {{ as_of_date("coalesce(min(tenants.timezone), 'UTC')") }} as running_date
    from counted
    left join tenants on counted.tenant_id = tenants.tenant_id
    group by counted.product, counted.tenant_id

),

-- a day on which nothing happened has a backlog too
days as (

    select
        dates.date_key as metric_date,
        horizons.product,
        horizons.tenant_id,
        coalesce(counted.opened, 0) as opened,
        coalesce(counted.reopened, 0) as reopened,
        coalesce(counted.answered, 0) as answered,
        coalesce(counted.resolved, 0) as resolved,
        coalesce(counted.sla_judged, 0) as sla_judged,
        coalesce(counted.sla_breached, 0) as sla_breached,
        counted.first_response_minutes_median,
        counted.resolution_minutes_median,
        dates.date_key < horizons.running_date as is_complete
    from horizons
    inner join dates on horizons.first_date <= dates.date_key and horizons.running_date >= dates.date_key
    left join counted
        on
            horizons.product = counted.product
            and horizons.tenant_id = counted.tenant_id
            and dates.date_key = counted.metric_date

),

final as (

    select
        metric_date,
        product,
        tenant_id,

        opened,
        reopened,
        answered,
        resolved,
        cast(sum(opened + reopened - resolved) over (
            partition by product, tenant_id
            order by metric_date rows between unbounded preceding and current row
        ) as bigint) as backlog,
        round(first_response_minutes_median, 3) as first_response_minutes_median,
        round(resolution_minutes_median, 3) as resolution_minutes_median,
        sla_judged,
        sla_breached,
        case when is_complete then {{ rate('sla_breached', 'sla_judged') }} end as sla_breach_rate,

        is_complete
    from days

)

select * from final
