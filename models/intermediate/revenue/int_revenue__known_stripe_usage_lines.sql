with final as (

    {{ same_sql(ref('int_revenue__stripe_usage_lines'), {
        'int_revenue__stripe_invoices': ref('int_revenue__known_stripe_invoices'),
        'int_revenue__stripe_prices': ref('int_revenue__known_stripe_prices'),
        'plan_labels': ref('plan_labels'),
        'int_revenue__stripe_invoice_lines': ref('int_revenue__known_stripe_invoice_lines'),
    }) }}

)

select * from final
