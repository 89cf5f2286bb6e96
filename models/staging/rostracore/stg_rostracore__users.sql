with source as (

    select * from {{ source('raw_cdc_rostracore', 'users') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        _user_id as user_id,

        email as email_token,
        full_name as full_name_token,
        role,

        is_consented,

        created_at as signup_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
