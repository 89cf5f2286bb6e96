with final as (

    {{ same_sql(ref('int_revenue__stripe_owners'), {
        'int_revenue__stripe_versions': ref('int_revenue__known_stripe_versions'),
        'stg_stripe__customer_events': same_sql_inlined(
            ref('stg_stripe__customer_events'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
    }) }}

)

select * from final
