with source as (

    select * from {{ source('raw_cdc_projectflo', 'quality_assessments') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'quality_assessment', 'id') }} as quality_assessment_id,
        {{ entity_uuid('projectflo', 'project', 'project_id') }} as project_id,
        {{ entity_uuid('projectflo', 'deliverable', 'deliverable_id') }} as deliverable_id,

        technical_score,
        creative_score,
        timeliness_score,
        communication_score,

        assessed_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
