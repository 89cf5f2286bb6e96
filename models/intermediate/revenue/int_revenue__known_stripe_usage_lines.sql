with final as (

    {{ same_sql(ref('int_revenue__stripe_usage_lines'), {
        'int_revenue__stripe_invoices': ref('int_revenue__known_stripe_invoices'),
        'int_revenue__stripe_items': ref('int_revenue__known_stripe_items'),
        'plan_labels': ref('plan_labels'),
        'stg_stripe__invoice_lines': same_sql_inlined(
            ref('stg_stripe__invoice_lines'), {'stripe.events': ref('int_revenue__known_stripe_events')}
        ),
    }) }}

)

select * from final
