with final as (

    {{ same_sql(ref('int_revenue__stripe_customer_discounts'), {
        'int_revenue__stripe_discounts': ref('int_revenue__known_stripe_discounts'),
        'int_revenue__stripe_owners': ref('int_revenue__known_stripe_owners'),
        'int_revenue__stripe_versions': ref('int_revenue__known_stripe_versions'),
        'int_revenue__stripe_item_amounts': ref('int_revenue__known_stripe_item_amounts'),
        'stg_stripe__discount_events': same_sql_inlined(
            ref('stg_stripe__discount_events'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
        'stg_stripe__customer_events': same_sql_inlined(
            ref('stg_stripe__customer_events'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
    }) }}

)

select * from final
