with measures as (

    select * from {{ ref('int_customers__health_measures') }}

),

components as (

    select * from {{ ref('health_components') }}

),

recommendations as (

    select * from {{ ref('health_recommendations') }}

),

churn_risks as (

    select * from {{ ref('int_customers__known_churn_risks') }}

),

component_scores as (

    select
        measures.product,
        measures.tenant_id,
        measures.metric_date,
        measures.component,
        sum(measures.points * measures.measure_weight) / sum(measures.measure_weight) as score,
        sum(measures.measure_weight) as known_weight
    from measures
    group by measures.product, measures.tenant_id, measures.metric_date, measures.component

),

days as (

    select
        component_scores.product,
        component_scores.tenant_id,
        component_scores.metric_date
        {%- for component in ['usage', 'adoption', 'satisfaction', 'growth'] %},
        cast(round(max(
            case component_scores.component when '{{ component }}' then component_scores.score end
        )) as integer) as {{ component }}_score
        {%- endfor %},
        cast(round(
            sum(component_scores.score * components.component_weight) / sum(components.component_weight)
        ) as integer) as overall_score
    from component_scores
    inner join components on component_scores.component = components.component
    group by component_scores.product, component_scores.tenant_id, component_scores.metric_date

),

-- what a measure takes from the score weighs its sentence
advised as (

    select
        measures.product,
        measures.tenant_id,
        measures.metric_date,
        recommendations.recommendation,
        row_number() over (
            partition by measures.product, measures.tenant_id, measures.metric_date
            order by
                components.component_weight * measures.measure_weight / component_scores.known_weight
                * (100 - measures.points) desc,
                measures.measure asc
        ) as place
    from measures
    inner join component_scores
        on
            measures.product = component_scores.product
            and measures.tenant_id = component_scores.tenant_id
            and measures.metric_date = component_scores.metric_date
            and measures.component = component_scores.component
    inner join components on measures.component = components.component
    inner join recommendations
        on
            measures.measure = recommendations.measure
            and measures.points < recommendations.below_points

),

advice as (

    select
        product,
        tenant_id,
        metric_date,
        {{ json_array_agg('recommendation', 'place') }} as recommendations
    from advised
    where place <= 3
    group by product, tenant_id, metric_date

),

final as (

    select
        days.metric_date,
        days.product,
        days.tenant_id,

        case
            when days.overall_score >= 70 then 'healthy'
            when days.overall_score >= 40 then 'at_risk'
            else 'churning'
        end as health_status,
        coalesce(advice.recommendations, cast('[]' as {{ type_json() }})) as recommendations,

        days.usage_score,
        days.adoption_score,
        days.satisfaction_score,
        days.growth_score,
        days.overall_score,
        churn_risks.churn_risk
    from days
    left join advice
        on
            days.product = advice.product
            and days.tenant_id = advice.tenant_id
            and days.metric_date = advice.metric_date
    left join churn_risks
        on
            days.product = churn_risks.product
            and days.tenant_id = churn_risks.tenant_id
            and days.metric_date >= churn_risks.known_date
            and (churn_risks.replaced_date is null or days.metric_date < churn_risks.replaced_date)

)

select * from final
