{%- set decided_by = var('experiment_decided_by') -%}
{%- if decided_by not in ('sequential', 'fixed') -%}
    {{ exceptions.raise_compiler_error(
        "The var experiment_decided_by is " ~ decided_by ~ ": say sequential or fixed."
    ) }}
{%- endif -%}
{%- set interval = 'sequential_ci' if decided_by == 'sequential' else 'ci' -%}

with tests as (

    select * from {{ ref('int_experiments__tests') }}

),

metrics as (

    select * from {{ ref('experiment_metrics') }}

),

days as (

    select
        *,
        row_number() over (
            partition by tenant_id, test_id, metric_name
            order by metric_date desc
        ) as recency
    from {{ ref('metrics_daily_experiments') }}

),

decided as (

    select
        tests.tenant_id,
        tests.test_id,
        tests.product,
        tests.test_name,
        tests.status,
        tests.planned_users_per_variant,
        metrics.metric_name,
        coalesce(days.exposures_a, 0) as exposures_a,
        coalesce(days.exposures_b, 0) as exposures_b,
        coalesce(days.conversions_a, 0) as conversions_a,
        coalesce(days.conversions_b, 0) as conversions_b,
        coalesce(days.excluded_users, 0) as excluded_users,
        coalesce(days.unknown_variant_users, 0) as unknown_variant_users,
        days.conversion_rate_a,
        days.conversion_rate_b,
        days.lift,
        days.relative_lift,
        days.ci_low,
        days.ci_high,
        days.p_value,
        days.sequential_ci_low,
        days.sequential_ci_high,
        days.srm_p_value,
        coalesce(days.is_srm, false) as is_srm,
        coalesce(metrics.metric_name = tests.primary_metric, false) as is_primary,
        coalesce(days.is_planned_size_reached, false) as is_planned_size_reached,
        coalesce(days.{{ interval }}_low > 0, false) as is_b_better,
        coalesce(days.{{ interval }}_high < 0, false) as is_a_better,
        days.metric_date as last_date
    from tests
    inner join metrics on tests.product = metrics.product
    left join days
        on
            tests.tenant_id = days.tenant_id
            and tests.test_id = days.test_id
            and metrics.metric_name = days.metric_name
            and days.recency = 1

),

reasoned as (

    select
        *,
        case
            when not is_primary then 'secondary_metric'
            when status in ('draft', 'cancelled') then status
            when is_srm then 'srm'
            when not is_planned_size_reached then 'below_planned_size'
            when is_a_better or is_b_better then 'difference'
            else 'no_difference'
        end as decision_reason
    from decided

),

final as (

    select
        tenant_id,
        test_id,

        product,
        test_name,
        metric_name,
        case
            when decision_reason <> 'difference' then 'inconclusive'
            when is_a_better then 'A'
            else 'B'
        end as winner,
        decision_reason,

        exposures_a,
        exposures_b,
        conversions_a,
        conversions_b,
        excluded_users,
        unknown_variant_users,
        planned_users_per_variant,
        conversion_rate_a,
        conversion_rate_b,
        lift,
        relative_lift,
        ci_low,
        ci_high,
        p_value,
        sequential_ci_low,
        sequential_ci_high,
        srm_p_value,

        is_srm,
        is_primary,
        is_planned_size_reached,

        last_date
    from reasoned

)

select * from final
