with users as (

    select * from {{ ref('int_experiments__users') }}

),

tests as (

    select * from {{ ref('int_experiments__tests') }}

),

conversions as (

    select * from {{ ref('int_experiments__conversions') }}

),

final as (

    select
        users.tenant_id,
        users.test_id,
        users.user_id,
        users.test_tenant_id,

        users.product,
        tests.test_name,
        tests.primary_metric,
        -- nobody counts whoever is left out for a variant by mistake
        case when users.exclusion_reason is null then users.first_variant end as variant,
        users.first_variant,
        users.assigned_variant,
        users.exclusion_reason,

        users.exposure_count,

        conversions.converted_at is not null as is_converted,
        users.exclusion_reason is not null as is_excluded,

        users.first_exposed_date,
        users.first_exposed_at,
        conversions.converted_at,
        users.assigned_at
    from users
    inner join tests on users.test_tenant_id = tests.tenant_id and users.test_id = tests.test_id
    left join conversions
        on
            users.test_tenant_id = conversions.test_tenant_id
            and users.test_id = conversions.test_id
            and users.tenant_id = conversions.tenant_id
            and users.user_id = conversions.user_id
            and tests.primary_metric = conversions.metric_name

)

select * from final
