{%- set bridged %}
    opening_mrr_cents + new_mrr_cents + reactivation_mrr_cents + expansion_mrr_cents
    - contraction_mrr_cents - churn_mrr_cents + fx_mrr_cents
{%- endset %}

with days as (

    select
        product,
        policy,
        cast(tenant_id as {{ type_string() }}) as tenant,
        metric_date,
        opening_mrr_cents,
        net_mrr_cents,
        {{ bridged }} as bridged_mrr_cents
    from {{ ref('metrics_daily_tenant_mrr') }}

    union all

    select
        product,
        policy,
        'all' as tenant,
        metric_date,
        opening_mrr_cents,
        net_mrr_cents,
        {{ bridged }} as bridged_mrr_cents
    from {{ ref('metrics_daily_mrr') }}

),

followed as (

    select
        *,
        coalesce(
            lag(net_mrr_cents) over (partition by product, policy, tenant order by metric_date), 0
        ) as previous_mrr_cents,
        lag(metric_date) over (partition by product, policy, tenant order by metric_date) as previous_date
    from days

)

select *
from followed
where
    bridged_mrr_cents <> net_mrr_cents
    or opening_mrr_cents <> previous_mrr_cents
    or {{ days_between('previous_date', 'metric_date') }} <> 1
