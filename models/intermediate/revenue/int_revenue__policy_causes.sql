{#- What a policy may depart from `standard` in, in the order in which a bridge takes one after the other: that of the
    seed's columns. A cause is departed in where one of its columns says otherwise. -#}
{%- set causes = {
    'weeks_and_days': ['weeks_per_year', 'days_per_year'],
    'pause': ['pause_counts_as_zero'],
    'temporary_discount': ['temporary_discounts_count'],
    'metered_usage': ['metered_usage_counts'],
    'trial_after_paid': ['trial_after_paid_counts'],
} -%}

-- Why a policy departs from `standard`, a step for each cause: from what counts like `standard` but for the causes
-- before it, to what counts otherwise in this one, too. The last step arrives at the policy itself; those before it, at
-- policies in between, which are computed so that every step has one cause. A policy that departs in none has no row.
with policies as (

    select * from {{ ref('mrr_policies') }}
    where is_computed

),

departures as (

    {% for cause, departed in causes.items() -%}
    {%- set cause_number = loop.index -%}
    select
        policies.policy,
        '{{ cause }}' as cause,
        {{ cause_number }} as cause_number,
        {%- for columns in causes.values() %}
        {%- set counts_as = 'policies' if loop.index <= cause_number else 'hub' %}
        {%- set is_last = loop.last %}
        {%- for column in columns %}
        {{ counts_as }}.{{ column }}{{ ',' if not (is_last and loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from policies
    inner join policies as hub on hub.policy = 'standard'
    where
        {%- for column in departed %}
        {{ 'or ' if not loop.first }}policies.{{ column }} <> hub.{{ column }}
        {%- endfor %}
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
