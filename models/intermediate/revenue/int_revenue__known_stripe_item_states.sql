with final as (

    {{ same_sql(ref('int_revenue__stripe_item_states'), {
        'int_revenue__stripe_versions': ref('int_revenue__known_stripe_versions'),
        'int_revenue__stripe_item_amounts': ref('int_revenue__known_stripe_item_amounts'),
        'int_revenue__stripe_discounts': ref('int_revenue__known_stripe_discounts'),
        'int_revenue__stripe_temporary_discounts': ref('int_revenue__known_stripe_temporary_discounts'),
        'int_revenue__stripe_customer_discounts': ref('int_revenue__known_stripe_customer_discounts'),
        'int_revenue__stripe_usage_lines': ref('int_revenue__known_stripe_usage_lines'),
        'plan_labels': ref('plan_labels'),
    }) }}

)

select * from final
