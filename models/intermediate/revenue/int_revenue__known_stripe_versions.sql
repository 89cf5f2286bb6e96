with final as (

    {{ same_sql(ref('int_revenue__stripe_versions'), {
        'stg_stripe__subscription_events': same_sql_inlined(
            ref('stg_stripe__subscription_events'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
    }) }}

)

select * from final
