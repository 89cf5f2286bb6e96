with final as (

    {{ same_sql(ref('int_revenue__stripe_invoice_lines'), {
        'stg_stripe__invoice_lines': same_sql_inlined(
            ref('stg_stripe__invoice_lines'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
    }) }}

)

select * from final
