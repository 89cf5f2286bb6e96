with users as (

    select
        test_tenant_id,
        test_id,
        count(*) as user_count,
        {{ count_if('is_converted and not is_excluded') }} as converted_count
    from {{ ref('fact_experiment_exposures') }}
    group by test_tenant_id, test_id

),

results as (

    select
        tenant_id,
        test_id,
        max(exposures_a + exposures_b + excluded_users + unknown_variant_users) as user_count,
        sum(case when is_primary then conversions_a + conversions_b else 0 end) as converted_count
    from {{ ref('experiment_results') }}
    group by tenant_id, test_id

)

select
    coalesce(users.test_tenant_id, results.tenant_id) as tenant_id,
    coalesce(users.test_id, results.test_id) as test_id
from users
full outer join results on users.test_tenant_id = results.tenant_id and users.test_id = results.test_id
where
    results.test_id is null
    or coalesce(users.user_count, 0) <> results.user_count
    or coalesce(users.converted_count, 0) <> results.converted_count
