with episodes as (

    select * from {{ ref('int_customers__ticket_episodes') }}

),

tickets as (

    select
        *,
        nullif(lower(trim(priority)), '') as raw_priority
    from {{ ref('stg_rentguy__tickets') }}

),

clock as (

    select * from {{ ref('int_customers__ticket_clock') }}

),

priorities as (

    select * from {{ ref('ticket_priorities') }}

),

slas as (

    select * from {{ ref('ticket_slas') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

timed as (

    select
        episodes.ticket_id,
        episodes.tenant_id,
        tickets.customer_id,
        episodes.product,
        case
            when tickets.raw_priority is null then 'unknown'
            else coalesce(priorities.priority, 'other')
        end as priority,
        lower(trim(tickets.status)) as status,
        episodes.reopening_number as reopen_count,
        (answer_clock.business_seconds - open_clock.business_seconds) / 60 as answer_minutes,
        (resolution_clock.business_seconds - open_clock.business_seconds) / 60 as resolution_minutes,
        (now_clock.business_seconds - open_clock.business_seconds) / 60 as age_minutes,
        episodes.opened_at,
        episodes.answered_at,
        episodes.resolved_at
    from episodes
    inner join tickets on episodes.tenant_id = tickets.tenant_id and episodes.ticket_id = tickets.ticket_id
    left join priorities on tickets.raw_priority = priorities.raw_priority
    left join clock as open_clock
        on episodes.tenant_id = open_clock.tenant_id and episodes.opened_at = open_clock.instant_at
    left join clock as answer_clock
        on episodes.tenant_id = answer_clock.tenant_id and episodes.answered_at = answer_clock.instant_at
    left join clock as resolution_clock
        on episodes.tenant_id = resolution_clock.tenant_id and episodes.resolved_at = resolution_clock.instant_at
    left join clock as now_clock
        on episodes.tenant_id = now_clock.tenant_id and now_clock.instant_at = {{ as_of() }}
    where episodes.is_last

),

-- who has not been answered yet is late once the limit has passed, and nothing before
judged as (

    select
        timed.*,
        case
            when timed.answered_at is not null then timed.answer_minutes > slas.first_response_minutes
            when timed.age_minutes > slas.first_response_minutes then true
        end as is_first_response_breached,
        case
            when timed.resolved_at is not null then timed.resolution_minutes > slas.resolution_minutes
            when timed.age_minutes > slas.resolution_minutes then true
        end as is_resolution_breached
    from timed
    left join slas on timed.priority = slas.priority

),

final as (

    select
        judged.ticket_id,
        judged.tenant_id,
        judged.customer_id,

        judged.product,
        judged.priority,
        judged.status,

        judged.reopen_count,
        round(judged.answer_minutes, 3) as first_response_minutes,
        round(judged.resolution_minutes, 3) as resolution_minutes,

        judged.is_first_response_breached,
        judged.is_resolution_breached,
        judged.is_first_response_breached or judged.is_resolution_breached as is_sla_breached,

        {{ local_date('judged.opened_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        judged.opened_at,
        judged.answered_at as first_response_at,
        judged.resolved_at
    from judged
    left join tenants on judged.tenant_id = tenants.tenant_id

)

select * from final
