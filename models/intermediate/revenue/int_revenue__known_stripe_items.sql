with final as (

    {{ same_sql(ref('int_revenue__stripe_items'), {
        'int_revenue__stripe_versions': ref('int_revenue__known_stripe_versions'),
    }) }}

)

select * from final
