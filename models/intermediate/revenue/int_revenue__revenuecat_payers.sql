-- The one id of everybody whom RevenueCat names, by all that it told.
with told as (

    select * from {{ ref('stg_revenuecat__events') }}

),

final as (

    {{ store_payers('told') }}

)

select * from final
