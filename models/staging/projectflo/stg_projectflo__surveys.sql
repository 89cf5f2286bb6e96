with source as (

    select * from {{ source('raw_cdc_projectflo', 'surveys') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'survey', 'id') }} as survey_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,
        {{ entity_uuid('projectflo', 'client', 'client_id') }} as client_id,

        respondent_email as respondent_email_token,
        survey_type,
        themes,

        score,

        answered_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
