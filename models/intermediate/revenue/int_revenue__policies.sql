-- What the ledger computes: the policies of the seed, and those in between that a bridge needs where one departs from
-- `standard` in several ways. Marts publish the seed's alone.
with policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

causes as (

    select * from {{ ref('int_revenue__policy_causes') }}
    where after_policy <> policy

),

final as (

    select
        policy,
        is_computed,
        weeks_per_year,
        days_per_year,
        pause_counts_as_zero,
        temporary_discounts_count,
        metered_usage_counts,
        trial_after_paid_counts
    from policies

    union all

    select
        after_policy as policy,
        true as is_computed,
        weeks_per_year,
        days_per_year,
        pause_counts_as_zero,
        temporary_discounts_count,
        metered_usage_counts,
        trial_after_paid_counts
    from causes

)

select * from final
