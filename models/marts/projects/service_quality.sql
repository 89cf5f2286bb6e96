with assessments as (

    select * from {{ ref('stg_projectflo__quality_assessments') }}

),

weights as (

    select * from {{ ref('quality_weights') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

scores as (
    {% for measure in ['technical', 'creative', 'timeliness', 'communication'] %}
    select
        tenant_id,
        quality_assessment_id,
        '{{ measure }}' as measure,
        {{ measure }}_score as score
    from assessments
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

-- scores that are not known leave their weight to the others
weighed as (

    select
        scores.tenant_id,
        scores.quality_assessment_id,
        {{ rate('sum(scores.score * weights.weight)', 'sum(weights.weight)') }} as quality_score
    from scores
    inner join weights on scores.measure = weights.measure
    where scores.score is not null
    group by scores.tenant_id, scores.quality_assessment_id

),

final as (

    select
        assessments.quality_assessment_id as assessment_id,
        assessments.tenant_id,
        assessments.project_id,
        assessments.deliverable_id,

        weighed.quality_score,
        assessments.technical_score as technical_quality,
        assessments.creative_score as creative_quality,
        assessments.timeliness_score as timeliness,
        assessments.communication_score as communication_quality,

        {{ local_date('assessments.assessed_at', 'tenants.timezone') }} as assessment_date
    from assessments
    inner join tenants on assessments.tenant_id = tenants.tenant_id
    left join weighed
        on
            assessments.tenant_id = weighed.tenant_id
            and assessments.quality_assessment_id = weighed.quality_assessment_id

)

select * from final
