with final as (

    {{ same_sql(ref('int_revenue__revenuecat_payers'), {
        'stg_revenuecat__events': ref('int_revenue__known_revenuecat_events'),
    }) }}

)

select * from final
