with declared as (

    select * from {{ ref('products') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

-- contracts from outside the repository may bring products that no seed names
mentioned as (

    select distinct product from tenants

),

final as (

    select
        coalesce(declared.product, mentioned.product) as product,

        coalesce(declared.product_title, mentioned.product) as product_title,
        declared.business
    from declared
    full join mentioned on declared.product = mentioned.product

)

select * from final
