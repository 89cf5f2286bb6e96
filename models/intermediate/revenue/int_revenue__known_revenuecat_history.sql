with final as (

    {{ same_sql(ref('int_revenue__revenuecat_history'), {
        'stg_revenuecat__events': ref('int_revenue__known_revenuecat_events'),
        'int_revenue__revenuecat_payers': ref('int_revenue__known_revenuecat_payers'),
        'int_revenue__stripe_names': ref('int_revenue__stripe_names'),
    }) }}

)

select * from final
