{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local', 'reach': 27}},
) }}

with

growth_days as (

    select
        *,
        lead(date_key) over (
            partition by product, tenant_id, user_id, growth_role order by date_key
        ) as next_date_key
    from {{ ref('int_engagement__growth_days') }}
    where {{ is_affected('tenant_id', 'date_key') }}

),

actives as (

    select * from {{ ref('int_engagement__daily_actives') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

calendar as (

    select * from {{ ref('int_engagement__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

tellers as (

    select
        product,
        {{ count_if("growth_role in ('invite_sent', 'invite_accepted')") }} > 0 as tells_invites,
        {{ count_if("growth_role = 'upgrade'") }} > 0 as tells_upgrades,
        {{ count_if("growth_role = 'referral'") }} > 0 as tells_referrals
    from {{ ref('growth_events') }}
    group by product

),

-- what happened on a day enters the window of 28 days with it and leaves it after; who did the same again leaves with
-- that next day and enters anew, so that nobody counts twice
changes as (

    select
        product,
        tenant_id,
        date_key as metric_date,
        case growth_role when 'invite_sent' then event_count else 0 end as invites_sent,
        case growth_role when 'invite_accepted' then event_count else 0 end as invites_accepted,
        case growth_role when 'invite_accepted' then event_count else 0 end as accepted_change,
        case when growth_role = 'upgrade' and user_id is not null then 1 else 0 end as upgraded_change,
        case when growth_role = 'referral' and user_id is not null then 1 else 0 end as referred_change
    from growth_days

    union all

    select
        product,
        tenant_id,
        {{ add_days('date_key', 28) }} as metric_date,
        0 as invites_sent,
        0 as invites_accepted,
        -event_count as accepted_change,
        0 as upgraded_change,
        0 as referred_change
    from growth_days
    where growth_role = 'invite_accepted'

    union all

    select
        product,
        tenant_id,
        case
            when next_date_key < {{ add_days('date_key', 28) }} then next_date_key
            else {{ add_days('date_key', 28) }}
        end as metric_date,
        0 as invites_sent,
        0 as invites_accepted,
        0 as accepted_change,
        case growth_role when 'upgrade' then -1 else 0 end as upgraded_change,
        case growth_role when 'referral' then -1 else 0 end as referred_change
    from growth_days
    where user_id is not null

    union all

    select
        product,
        tenant_id,
        metric_date,
        0 as invites_sent,
        0 as invites_accepted,
        0 as accepted_change,
        0 as upgraded_change,
        0 as referred_change
    from calendar

),

daily_changes as (

    select
        product,
        tenant_id,
        metric_date,
        sum(invites_sent) as invites_sent,
        sum(invites_accepted) as invites_accepted,
        sum(accepted_change) as accepted_change,
        sum(upgraded_change) as upgraded_change,
        sum(referred_change) as referred_change
    from changes
    group by product, tenant_id, metric_date

),

running as (

    select
        product,
        tenant_id,
        metric_date,
        invites_sent,
        invites_accepted,
        sum(accepted_change) over tenant_days as invites_accepted_28,
        sum(upgraded_change) over tenant_days as upgraded_users_28,
        sum(referred_change) over tenant_days as referring_users_28
    from daily_changes
    window tenant_days as (partition by product, tenant_id order by metric_date)

),

final as (

    select
        running.metric_date,
        running.product,
        running.tenant_id,

        case when tellers.tells_invites then cast(running.invites_sent as bigint) end as invites_sent,
        case when tellers.tells_invites then cast(running.invites_accepted as bigint) end as invites_accepted,
        case when tellers.tells_invites then cast(running.invites_accepted_28 as bigint) end as invites_accepted_28,
        case when tellers.tells_upgrades then cast(running.upgraded_users_28 as bigint) end as upgraded_users_28,
        case when tellers.tells_referrals then cast(running.referring_users_28 as bigint) end as referring_users_28,
        actives.active_users_28,
        case
            when calendar.is_complete and tellers.tells_invites
                then {{ rate('running.invites_accepted_28', 'actives.active_users_28') }}
        end as viral_coefficient,
        case
            when calendar.is_complete and tellers.tells_upgrades
                then {{ rate('running.upgraded_users_28', 'actives.active_users_28') }}
        end as upgrade_rate,
        case
            when calendar.is_complete and tellers.tells_referrals
                then {{ rate('running.referring_users_28', 'actives.active_users_28') }}
        end as referral_rate,

        calendar.is_complete
    from running
    inner join tellers on running.product = tellers.product
    inner join calendar
        on
            running.product = calendar.product
            and running.tenant_id = calendar.tenant_id
            and running.metric_date = calendar.metric_date
    inner join actives
        on
            running.product = actives.product
            and running.tenant_id = actives.tenant_id
            and running.metric_date = actives.metric_date

)

select * from final
