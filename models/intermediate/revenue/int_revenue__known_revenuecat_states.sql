with final as (

    {{ same_sql(ref('int_revenue__revenuecat_states'), {
        'int_revenue__revenuecat_history': ref('int_revenue__known_revenuecat_history'),
        'int_revenue__policies': ref('mrr_policies'),
    }) }}

)

select * from final
