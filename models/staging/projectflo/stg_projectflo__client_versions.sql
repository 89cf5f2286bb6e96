with source as (

    select * from {{ source('raw_cdc_projectflo_history', 'clients') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'client', 'id') }} as client_id,

        version_number,

        is_consented,
        is_current,
        is_deleted,

        valid_from as committed_at,
        valid_to as replaced_at,
        _received_at as received_at
    from source

)

select * from renamed
