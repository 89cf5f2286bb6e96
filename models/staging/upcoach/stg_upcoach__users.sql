with source as (

    select * from {{ source('raw_cdc_upcoach', 'users') }}

),

renamed as (

    select
        'upcoach' as product,
        _tenant_id as tenant_id,
        id as user_id,
        coach_id,

        email as email_token,
        full_name as full_name_token,
        role,
        plan,
        country_code,
        timezone,

        is_consented,

        signup_at,
        deleted_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
