with final as (

    {{ same_sql(ref('int_revenue__stripe_discounts'), {
        'int_revenue__stripe_versions': ref('int_revenue__known_stripe_versions'),
        'int_revenue__stripe_items': ref('int_revenue__known_stripe_items'),
        'stg_stripe__discount_events': same_sql_inlined(
            ref('stg_stripe__discount_events'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
    }) }}

)

select * from final
