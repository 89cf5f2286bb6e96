with source as (

    select * from {{ source('raw_cdc_rentguy', 'organizations') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,

        name as organization_name,
        country_code,
        region,
        timezone,
        lower(currency) as currency,
        industry,
        plan,
        size_band,

        created_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
