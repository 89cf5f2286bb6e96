with final as (

    {{ same_sql(ref('int_revenue__mrr_changes'), {
        'int_revenue__products_without_rate': ref('int_revenue__products_without_rate'),
        'int_revenue__subscription_periods': ref('int_revenue__known_subscription_periods'),
    }) }}

)

select * from final
