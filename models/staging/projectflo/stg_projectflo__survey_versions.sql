with source as (

    select * from {{ source('raw_cdc_projectflo_history', 'surveys') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'survey', 'id') }} as survey_id,

        survey_type,
        version_number,

        score,

        answered_at,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
