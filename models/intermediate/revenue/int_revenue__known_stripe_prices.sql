with final as (

    {{ same_sql(ref('int_revenue__stripe_prices'), {
        'int_revenue__stripe_items': ref('int_revenue__known_stripe_items'),
    }) }}

)

select * from final
