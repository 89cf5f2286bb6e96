{#- The seed's columns, each with the cause of a departure in it. Causes are taken in this order. -#}
{%- set columns = {
    'weeks_per_year': 'weeks_and_days',
    'days_per_year': 'weeks_and_days',
    'pause_counts_as_zero': 'pause',
    'temporary_discounts_count': 'temporary_discount',
    'metered_usage_counts': 'metered_usage',
    'trial_after_paid_counts': 'trial_after_paid',
} -%}
{%- set causes = columns.values() | unique | list -%}
{%- set conditions = {} -%}
{%- for column, cause in columns.items() -%}
{%- do conditions.setdefault(cause, []).append('policies.' ~ column ~ ' <> hub.' ~ column) -%}
{%- endfor %}

-- Why a policy departs from `standard`, a step for each cause: from what counts like `standard` but for the causes
-- before it, to what counts otherwise in this one, too. The last step arrives at the policy itself; those before it, at
-- policies in between, which are computed so that every step has one cause. A policy that departs in none has no row.
with policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

departures as (

    {% for cause in causes -%}
    select
        policies.policy,
        '{{ cause }}' as cause,
        {%- for column, of_cause in columns.items() %}
        {{ 'policies' if causes.index(of_cause) <= causes.index(cause) else 'hub' }}.{{ column }},
        {%- endfor %}
        {{ loop.index }} as cause_number
    from policies
    inner join policies as hub on hub.policy = 'standard'
    where {{ conditions[cause] | join(' or ') }}
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}

),

named as (

    select
        *,
        case
            when cause_number = max(cause_number) over (partition by policy) then policy
            else policy || '/' || cause
        end as after_policy
    from departures

),

final as (

    select
        policy,
        cause,
        coalesce(
            lag(after_policy) over (
                partition by policy
                order by cause_number
            ),
            'standard'
        ) as before_policy,
        after_policy,
        weeks_per_year,
        days_per_year,
        pause_counts_as_zero,
        temporary_discounts_count,
        metered_usage_counts,
        trial_after_paid_counts
    from named

)

select * from final
