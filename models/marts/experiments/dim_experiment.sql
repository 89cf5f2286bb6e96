with tests as (

    select * from {{ ref('int_experiments__tests') }}

),

final as (

    select
        tenant_id,
        test_id,

        product,
        test_name,
        description,
        status,
        primary_metric,
        stated_winner,

        planned_users_per_variant,
        traffic_share_b,

        is_product_wide,
        is_planned,

        started_on,
        ended_on
    from tests

)

select * from final
