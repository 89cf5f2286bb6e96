{{ config(severity='warn') }}

select
    answers.product,
    answers.survey,
    count(*) as answer_count
from {{ ref('int_customers__survey_events') }} as answers
left join {{ ref('survey_kinds') }} as survey_kinds on answers.survey = survey_kinds.survey
where survey_kinds.survey is null
group by answers.product, answers.survey
