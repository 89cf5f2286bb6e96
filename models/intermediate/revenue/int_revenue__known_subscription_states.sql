with final as (

    {{ same_sql(ref('int_revenue__subscription_states'), {
        'int_revenue__stripe_states': ref('int_revenue__known_stripe_states'),
        'int_revenue__stripe_owners': ref('int_revenue__known_stripe_owners'),
        'int_revenue__revenuecat_states': ref('int_revenue__known_revenuecat_states'),
        'int_revenue__revenuecat_owners': ref('int_revenue__known_revenuecat_owners'),
        'plan_labels': ref('plan_labels'),
    }) }}

)

select * from final
