with surveys as (

    select * from {{ ref('stg_projectflo__surveys') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

answered as (

    select
        surveys.*,
        upper(trim(surveys.survey_type)) as kind,
        {{ local_date('surveys.answered_at', 'tenants.timezone') }} as response_date
    from surveys
    inner join tenants on surveys.tenant_id = tenants.tenant_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by
                tenant_id,
                kind,
                {{ month_start('response_date') }},
                coalesce(
                    respondent_email_token,
                    cast(client_id as {{ type_string() }}),
                    cast(survey_id as {{ type_string() }})
                )
            order by answered_at desc, survey_id desc
        ) as recency
    from answered

),

final as (

    select
        survey_id as response_id,
        tenant_id,
        project_id,
        client_id,

        kind as survey_type,
        coalesce(themes, cast('[]' as {{ type_json() }})) as improvement_areas,

        score,

        coalesce((kind = 'NPS' and score <= 6) or (kind = 'CSAT' and score <= 2), false) as followup_required,
        -- one answer per respondent and month counts, the last (rule 115)
        recency = 1 as is_counted,

        response_date
    from ranked

)

select * from final
