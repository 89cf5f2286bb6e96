{{ config(severity='warn') }}

select
    experiments.tenant_id,
    experiments.test_id,
    experiments.test_name,
    experiments.primary_metric
from {{ ref('dim_experiment') }} as experiments
left join {{ ref('experiment_metrics') }} as metrics
    on experiments.product = metrics.product and experiments.primary_metric = metrics.metric_name
where metrics.metric_name is null
