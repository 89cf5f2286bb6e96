with source as (

    select * from {{ source('raw_cdc_projectflo', 'software_seats') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'software_seat', 'id') }} as software_seat_id,
        {{ entity_uuid('projectflo', 'software', 'software_id') }} as software_id,
        {{ entity_uuid('projectflo', 'contributor', 'contributor_id') }} as contributor_id,

        licensed_from,
        licensed_until,
        used_from,
        used_until,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
