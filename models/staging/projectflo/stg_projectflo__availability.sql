with source as (

    select * from {{ source('raw_cdc_projectflo', 'availability') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'availability', 'id') }} as availability_id,
        {{ entity_uuid('projectflo', 'contributor', 'contributor_id') }} as contributor_id,

        kind,

        hours_per_day,

        starts_on,
        ends_on,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
