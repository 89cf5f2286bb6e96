with final as (

    {{ same_sql(ref('int_revenue__revenuecat_owners'), {
        'stg_revenuecat__events': ref('int_revenue__known_revenuecat_events'),
        'int_revenue__revenuecat_payers': ref('int_revenue__known_revenuecat_payers'),
        'int_core__registered_users': ref('int_core__registered_users'),
    }) }}

)

select * from final
