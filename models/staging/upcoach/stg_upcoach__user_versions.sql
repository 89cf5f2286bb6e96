with source as (

    select * from {{ source('raw_cdc_upcoach_history', 'users') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        id as user_id,
        coach_id,

        version_number,

        is_consented,
        is_current,
        is_deleted,

        signup_at,
        deleted_at,
        valid_from as committed_at,
        valid_to as replaced_at,
        _received_at as received_at
    from source

)

select * from renamed
