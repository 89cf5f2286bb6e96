-- Answers to surveys and ratings of sessions as they were first told, with the day by whose end they were known; what
-- became of them later was not known then.
with nps_response_versions as (

    select * from {{ ref('stg_rentguy__nps_response_versions') }}
    where version_number = 1

),

survey_versions as (

    select * from {{ ref('stg_projectflo__survey_versions') }}
    where version_number = 1

),

survey_events as (

    select * from {{ ref('int_customers__survey_events') }}

),

chat_session_versions as (

    select
        *,
        row_number() over (partition by tenant_id, chat_session_id order by version_number) as place
    from {{ ref('stg_upcoach__chat_session_versions') }}
    where rating is not null

),

survey_kinds as (

    select * from {{ ref('survey_kinds') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

answers as (

    select
        product,
        tenant_id,
        'nps' as survey,
        cast(score as {{ type_numeric() }}) as score,
        responded_at as answered_at,
        received_at
    from nps_response_versions

    union all

    select
        product,
        tenant_id,
        lower(trim(survey_type)) as survey,
        cast(score as {{ type_numeric() }}) as score,
        answered_at,
        received_at
    from survey_versions

    union all

    select
        product,
        tenant_id,
        survey,
        score,
        occurred_at as answered_at,
        received_at
    from survey_events

),

opinions as (

    select
        answers.product,
        answers.tenant_id,
        lower(survey_kinds.survey_type) as opinion,
        answers.score,
        answers.answered_at,
        answers.received_at
    from answers
    inner join survey_kinds on answers.survey = survey_kinds.survey
    where
        (survey_kinds.survey_type = 'NPS' and answers.score between 0 and 10 and answers.score = round(answers.score))
        or (survey_kinds.survey_type = 'CSAT' and answers.score between 1 and 5)

    union all

    select
        product,
        tenant_id,
        'session_rating' as opinion,
        cast(rating as {{ type_numeric() }}) as score,
        committed_at as answered_at,
        received_at
    from chat_session_versions
    where place = 1

),

dated as (

    select
        opinions.product,
        opinions.tenant_id,
        opinions.opinion,
        opinions.score,
        {{ local_date('opinions.answered_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        {{ local_date(
            add_interval('opinions.received_at', -1, 'microsecond'), "coalesce(tenants.timezone, 'UTC')"
        ) }} as received_date
    from opinions
    left join tenants on opinions.tenant_id = tenants.tenant_id

),

-- an NPS is a balance: what each answer adds to it
final as (

    select
        product,
        tenant_id,

        opinion,

        count(*) as answer_count,
        sum(
            case
                when opinion <> 'nps' then score
                when score >= 9 then 100
                when score <= 6 then -100
                else 0
            end
        ) as score_sum,

        date_key,
        greatest(received_date, date_key) as known_date
    from dated
    group by product, tenant_id, opinion, date_key, greatest(received_date, date_key)

)

select * from final
