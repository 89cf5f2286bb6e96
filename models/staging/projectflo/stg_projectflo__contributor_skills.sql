with source as (

    select * from {{ source('raw_cdc_projectflo', 'contributor_skills') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'contributor_skill', 'id') }} as contributor_skill_id,
        {{ entity_uuid('projectflo', 'contributor', 'contributor_id') }} as contributor_id,

        skill,

        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
