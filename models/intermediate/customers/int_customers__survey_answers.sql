-- Answers to the questions whether one would recommend (NPS) and how satisfied one is (CSAT), of all products. One
-- answer per respondent, kind and month counts, the last that lies on the scale (rule 115).
with nps_responses as (

    select * from {{ ref('stg_rentguy__nps_responses') }}

),

surveys as (

    select * from {{ ref('stg_projectflo__surveys') }}

),

survey_events as (

    select * from {{ ref('int_customers__survey_events') }}

),

survey_kinds as (

    select * from {{ ref('survey_kinds') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

-- whoever is not named at all is somebody else with each answer
answers as (

    select
        product,
        tenant_id,
        nps_response_id as answer_id,
        cast(coalesce(customer_id, nps_response_id) as {{ type_string() }}) as respondent,
        'nps' as survey,
        cast(score as {{ type_numeric() }}) as score,
        responded_at as answered_at
    from nps_responses

    union all

    select
        product,
        tenant_id,
        survey_id as answer_id,
        coalesce(
            respondent_email_token,
            cast(client_id as {{ type_string() }}),
            cast(survey_id as {{ type_string() }})
        ) as respondent,
        lower(trim(survey_type)) as survey,
        cast(score as {{ type_numeric() }}) as score,
        answered_at
    from surveys

    union all

    select
        product,
        tenant_id,
        event_id as answer_id,
        cast(coalesce(user_id, event_id) as {{ type_string() }}) as respondent,
        survey,
        score,
        occurred_at as answered_at
    from survey_events

),

kinds as (

    select
        answers.*,
        survey_kinds.survey_type,
        case survey_kinds.survey_type
            when 'NPS' then answers.score between 0 and 10 and answers.score = round(answers.score)
            when 'CSAT' then answers.score between 1 and 5
        end as is_on_scale,
        {{ local_date('answers.answered_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key
    from answers
    inner join survey_kinds on answers.survey = survey_kinds.survey
    left join tenants on answers.tenant_id = tenants.tenant_id
    where answers.answered_at <= {{ as_of() }}

),

ranked as (

    select
        *,
        coalesce(is_on_scale, false) as is_valid,
        row_number() over (
            partition by
                product,
                tenant_id,
                survey_type,
                respondent,
                {{ month_start('date_key') }},
                coalesce(is_on_scale, false)
            order by answered_at desc, answer_id desc
        ) as recency
    from kinds

),

final as (

    select
        product,
        tenant_id,
        answer_id,
        respondent,

        survey_type,

        score,

        is_valid,
        is_valid and recency = 1 as is_counted,

        {{ month_start('date_key') }} as month_start,
        date_key,
        answered_at
    from ranked

)

select * from final
