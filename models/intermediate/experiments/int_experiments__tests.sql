-- What the source leaves open is filled in: a metric by the product's default, a plan and a split by vars.
with tests as (

    select * from {{ ref('stg_rostracore__ab_tests') }}

),

defaults as (

    select
        product,
        min(metric_name) as metric_name
    from {{ ref('experiment_metrics') }}
    where is_default
    group by product

),

final as (

    select
        tests.product,
        -- what names no organisation runs over all of them and is the product's own
        coalesce(tests.tenant_id, {{ entity_uuid('tests.product', 'tenant', 'tests.product', true) }}) as tenant_id,
        tests.test_id,

        trim(tests.test_name) as test_name,
        tests.description,
        lower(trim(tests.status)) as status,
        coalesce(nullif(lower(trim(tests.primary_metric)), ''), defaults.metric_name) as primary_metric,
        nullif(trim(tests.stated_winner), '') as stated_winner,

        coalesce(
            case when tests.planned_users_per_variant > 0 then tests.planned_users_per_variant end,
            {{ var('experiment_planned_users') }}
        ) as planned_users_per_variant,
        coalesce(
            case when tests.traffic_share_b > 0 and tests.traffic_share_b < 1 then tests.traffic_share_b end,
            {{ var('experiment_share_b') }}
        ) as traffic_share_b,

        tests.tenant_id is null as is_product_wide,
        coalesce(tests.planned_users_per_variant > 0, false) as is_planned,

        tests.started_on,
        tests.ended_on
    from tests
    left join defaults on tests.product = defaults.product

)

select * from final
