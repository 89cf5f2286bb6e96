with values_measured as (

    select * from {{ ref('int_projects__operational_values') }}

),

tasks as (

    select * from {{ ref('stg_projectflo__tasks') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

benchmarks as (

    select * from {{ ref('operational_benchmarks') }}

),

recommendations as (

    select
        metric_type,
        performance_rating,
        {{ json_array_agg('recommendation', 'rule_number') }} as recommendations
    from {{ ref('operational_recommendations') }}
    group by metric_type, performance_rating

),

workers as (

    select distinct
        tenant_id,
        deliverable_id,
        contributor_id
    from tasks
    where deliverable_id is not null and contributor_id is not null

),

levelled as (

    select
        tenant_id,
        cast(null as {{ type_uuid() }}) as project_id,
        cast(null as {{ type_uuid() }}) as contributor_id,
        'studio' as level,
        metric_type,
        month_start,
        numerator,
        denominator
    from values_measured

    union all

    select
        tenant_id,
        project_id,
        cast(null as {{ type_uuid() }}) as contributor_id,
        'project' as level,
        metric_type,
        month_start,
        numerator,
        denominator
    from values_measured
    where project_id is not null

    union all

    select
        values_measured.tenant_id,
        cast(null as {{ type_uuid() }}) as project_id,
        workers.contributor_id,
        'contributor' as level,
        values_measured.metric_type,
        values_measured.month_start,
        values_measured.numerator,
        values_measured.denominator
    from values_measured
    inner join workers
        on
            values_measured.tenant_id = workers.tenant_id
            and values_measured.deliverable_id = workers.deliverable_id

),

summed as (

    select
        tenant_id,
        project_id,
        contributor_id,
        level,
        metric_type,
        month_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from levelled
    group by tenant_id, project_id, contributor_id, level, metric_type, month_start

),

measured as (

    select
        summed.*,
        benchmarks.benchmark_value,
        benchmarks.is_less_better,
        {{ month_start(add_days('summed.month_start', 31)) }} <= tenants.running_date as is_complete,
        case
            when {{ month_start(add_days('summed.month_start', 31)) }} <= tenants.running_date
                then {{ rate('summed.numerator', 'summed.denominator') }}
        end as actual_value
    from summed
    inner join tenants on summed.tenant_id = tenants.tenant_id
    inner join benchmarks on summed.metric_type = benchmarks.metric_type

),

-- how many times as good as expected; where less is better the ratio is turned, and nothing at all is as good as can be
compared as (

    select
        *,
        case
            when not is_less_better then {{ rate('actual_value', 'benchmark_value') }}
            when actual_value = 0 then 9
            else {{ rate('benchmark_value', 'actual_value') }}
        end as ratio
    from measured

),

rated as (

    select
        *,
        case
            when ratio >= 1.10 then 'EXCELLENT'
            when ratio >= 1.00 then 'GOOD'
            when ratio >= 0.85 then 'AVERAGE'
            when ratio < 0.85 then 'POOR'
        end as performance_rating
    from compared

),

final as (

    select
        rated.tenant_id,
        rated.project_id,
        rated.contributor_id,

        rated.metric_type,
        rated.level,
        rated.month_start as measurement_period,

        rated.actual_value,
        rated.benchmark_value,
        rated.performance_rating,
        coalesce(recommendations.recommendations, cast('[]' as {{ type_json() }})) as improvement_recommendations,

        rated.is_complete
    from rated
    left join recommendations
        on
            rated.metric_type = recommendations.metric_type
            and rated.performance_rating = recommendations.performance_rating

)

select * from final
