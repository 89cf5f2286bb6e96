with source as (

    select * from {{ source('ops', 'tenant_statements') }}

),

renamed as (

    select
        -- the nil UUID stands for all tenants of a product
        nullif(tenant_id, cast('00000000-0000-0000-0000-000000000000' as {{ type_uuid() }})) as tenant_id,

        origin,
        nullif(product, '') as product,
        timezone,
        tenant_label,

        stated_at
    from source

)

select * from renamed
