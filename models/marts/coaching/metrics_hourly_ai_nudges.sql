{%- set hours_to_engage = 24 -%}

with nudges as (

    select * from {{ ref('stg_upcoach__ai_nudges') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

active_days as (

    select * from {{ ref('int_coaching__active_days') }}

),

sent as (

    select
        nudges.tenant_id,
        nudges.user_id,
        coalesce(nudges.persona, 'unknown') as persona,
        nudges.sent_at,
        {{ add_interval('nudges.sent_at', hours_to_engage, 'hour') }} as closes_at,
        {{ local_date('nudges.sent_at', "'UTC'") }} as sent_date
    from nudges
    inner join tenants on nudges.tenant_id = tenants.tenant_id
    where nudges.sent_at is not null

),

-- 24 hours reach from one UTC day into the next, so the last instant of the one and the first of the other decide
answered as (

    select
        sent.tenant_id,
        sent.persona,
        sent.sent_at,
        sent.closes_at,
        coalesce(same_day.last_active_at > sent.sent_at, false)
        or coalesce(next_day.first_active_at <= sent.closes_at, false) as is_engaged
    from sent
    left join active_days as same_day
        on
            sent.tenant_id = same_day.tenant_id
            and sent.user_id = same_day.user_id
            and sent.sent_date = same_day.event_date
    left join active_days as next_day
        on
            sent.tenant_id = next_day.tenant_id
            and sent.user_id = next_day.user_id
            and {{ add_days('sent.sent_date', 1) }} = next_day.event_date

),

counted as (

    select
        {{ hour_start('sent_at') }} as hour_at,
        tenant_id,
        persona,
        count(*) as nudges_sent,
        {{ count_if('is_engaged') }} as nudges_engaged,
        max(closes_at) <= {{ as_of() }} as is_complete
    from answered
    group by {{ hour_start('sent_at') }}, tenant_id, persona

),

final as (

    select
        hour_at,
        tenant_id,
        persona,

        nudges_sent,
        nudges_engaged,
        case when is_complete then {{ rate('nudges_engaged', 'nudges_sent') }} end as ai_nudge_effectiveness,

        is_complete
    from counted

)

select * from final
