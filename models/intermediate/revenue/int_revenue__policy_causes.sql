-- Why a policy departs from `standard`: what a bridge between two policies is told by. A policy that departs in several
-- ways at once has the one cause `several`; one that departs in none has no row.
with policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

compared as (

    select
        policies.*,
        case
            when policies.weeks_per_year <> hub.weeks_per_year or policies.days_per_year <> hub.days_per_year then 1
            else 0
        end as departs_in_calendar,
        case when policies.pause_counts_as_zero <> hub.pause_counts_as_zero then 1 else 0 end as departs_in_pauses,
        case
            when policies.temporary_discounts_count <> hub.temporary_discounts_count then 1
            else 0
        end as departs_in_discounts,
        case when policies.metered_usage_counts <> hub.metered_usage_counts then 1 else 0 end as departs_in_usage,
        case when policies.trial_after_paid_counts <> hub.trial_after_paid_counts then 1 else 0 end as departs_in_trials
    from policies
    inner join policies as hub on hub.policy = 'standard'

),

causes as (

    select
        policy,
        case
            when
                departs_in_calendar + departs_in_pauses + departs_in_discounts + departs_in_usage
                + departs_in_trials > 1
                then 'several'
            when departs_in_calendar = 1 then 'weeks_and_days'
            when departs_in_pauses = 1 then 'pause'
            when departs_in_discounts = 1 then 'temporary_discount'
            when departs_in_usage = 1 then 'metered_usage'
            when departs_in_trials = 1 then 'trial_after_paid'
        end as cause
    from compared

),

final as (

    select
        policy,
        cause
    from causes
    where cause is not null

)

select * from final
