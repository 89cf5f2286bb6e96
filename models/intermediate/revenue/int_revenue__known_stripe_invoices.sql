with final as (

    {{ same_sql(ref('int_revenue__stripe_invoices'), {
        'int_revenue__stripe_owners': ref('int_revenue__known_stripe_owners'),
        'int_revenue__stripe_customers': ref('int_revenue__stripe_customers'),
        'stg_stripe__invoice_events': same_sql_inlined(
            ref('stg_stripe__invoice_events'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
    }) }}

)

select * from final
