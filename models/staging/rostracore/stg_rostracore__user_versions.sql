with source as (

    select * from {{ source('raw_cdc_rostracore_history', 'users') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        _user_id as user_id,

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
