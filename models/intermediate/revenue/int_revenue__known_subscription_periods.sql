with final as (

    {{ same_sql(ref('int_revenue__subscription_periods'), {
        'int_revenue__subscription_states': ref('int_revenue__known_subscription_states'),
        'int_revenue__due_states': ref('int_revenue__due_states'),
    }) }}

)

select * from final
