with final as (

    {{ same_sql(ref('int_revenue__stripe_states'), {
        'int_revenue__stripe_item_states': ref('int_revenue__known_stripe_item_states'),
        'int_revenue__policies': ref('mrr_policies'),
    }) }}

)

select * from final
