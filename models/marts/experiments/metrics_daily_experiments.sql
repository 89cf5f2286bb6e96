-- What each test had shown by the end of each of its days. The fixed interval and p-value hold for one look at a size
-- that was planned; the sequential interval holds on all days together, however often somebody looks.
with tests as (

    select * from {{ ref('int_experiments__tests') }}

),

users as (

    select * from {{ ref('int_experiments__users') }}

),

conversions as (

    select * from {{ ref('int_experiments__conversions') }}

),

metrics as (

    select * from {{ ref('experiment_metrics') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

limits as (

    {{ experiment_limits() }}

),

exposure_changes as (

    select
        test_tenant_id,
        test_id,
        first_exposed_date as change_date,
        case when first_variant = 'A' then 1 else 0 end as change_a,
        case when first_variant = 'B' then 1 else 0 end as change_b,
        0 as both_change,
        case when first_variant is null then 1 else 0 end as unknown_change
    from users

    union all

    select
        test_tenant_id,
        test_id,
        excluded_date as change_date,
        case when first_variant = 'A' then -1 else 0 end as change_a,
        case when first_variant = 'B' then -1 else 0 end as change_b,
        1 as both_change,
        0 as unknown_change
    from users
    where exclusion_reason = 'both_variants'

),

exposed as (

    select
        test_tenant_id,
        test_id,
        change_date,
        sum(change_a) as change_a,
        sum(change_b) as change_b,
        sum(both_change) as both_change,
        sum(unknown_change) as unknown_change
    from exposure_changes
    group by test_tenant_id, test_id, change_date

),

-- whoever converts once they are excluded never counts, whoever is excluded later counts until then
counted_conversions as (

    select
        conversions.test_tenant_id,
        conversions.test_id,
        conversions.metric_name,
        users.first_variant,
        conversions.converted_date,
        users.excluded_date
    from conversions
    inner join users
        on
            conversions.test_tenant_id = users.test_tenant_id
            and conversions.test_id = users.test_id
            and conversions.tenant_id = users.tenant_id
            and conversions.user_id = users.user_id
    where
        users.first_variant is not null
        and (users.excluded_date is null or conversions.converted_date <= users.excluded_date)

),

conversion_changes as (

    select
        test_tenant_id,
        test_id,
        metric_name,
        first_variant,
        converted_date as change_date,
        1 as change
    from counted_conversions

    union all

    select
        test_tenant_id,
        test_id,
        metric_name,
        first_variant,
        excluded_date as change_date,
        -1 as change
    from counted_conversions
    where excluded_date is not null

),

converted as (

    select
        test_tenant_id,
        test_id,
        metric_name,
        change_date,
        sum(case when first_variant = 'A' then change else 0 end) as change_a,
        sum(case when first_variant = 'B' then change else 0 end) as change_b
    from conversion_changes
    group by test_tenant_id, test_id, metric_name, change_date

),

-- a test over several tenants runs until the day is over for the last of them
horizons as (

    select
        users.test_tenant_id,
        users.test_id,
        min(users.first_exposed_date) as first_date,
        min({{ as_of_date("coalesce(tenants.timezone, 'UTC')") }}) as running_date,
        max({{ as_of_date("coalesce(tenants.timezone, 'UTC')") }}) as newest_date
    from users
    left join tenants on users.tenant_id = tenants.tenant_id
    group by users.test_tenant_id, users.test_id

),

-- the days there are rows for, so that few are compared with each
lived_dates as (

    select dates.date_key
    from dates
    where
        dates.date_key >= (select min(horizons.first_date) from horizons)
        and dates.date_key <= (select max(horizons.newest_date) from horizons)

),

test_days as (

    select
        tests.*,
        metrics.metric_name,
        lived_dates.date_key as metric_date,
        lived_dates.date_key < horizons.running_date as is_complete
    from tests
    inner join metrics on tests.product = metrics.product
    inner join horizons on tests.tenant_id = horizons.test_tenant_id and tests.test_id = horizons.test_id
    inner join lived_dates
        on
            horizons.first_date <= lived_dates.date_key
            and least(tests.ended_on, horizons.newest_date) >= lived_dates.date_key

),

counted as (

    select
        test_days.tenant_id,
        test_days.test_id,
        test_days.product,
        test_days.test_name,
        test_days.metric_name,
        test_days.metric_name = test_days.primary_metric as is_primary,
        test_days.planned_users_per_variant,
        cast(test_days.traffic_share_b as {{ type_double() }}) as share_b,
        test_days.metric_date,
        test_days.is_complete,
        cast(sum(coalesce(exposed.change_a, 0)) over test_so_far as bigint) as exposures_a,
        cast(sum(coalesce(exposed.change_b, 0)) over test_so_far as bigint) as exposures_b,
        cast(sum(coalesce(converted.change_a, 0)) over test_so_far as bigint) as conversions_a,
        cast(sum(coalesce(converted.change_b, 0)) over test_so_far as bigint) as conversions_b,
        cast(sum(coalesce(exposed.both_change, 0)) over test_so_far as bigint) as excluded_users,
        cast(sum(coalesce(exposed.unknown_change, 0)) over test_so_far as bigint) as unknown_variant_users
    from test_days
    left join exposed
        on
            test_days.tenant_id = exposed.test_tenant_id
            and test_days.test_id = exposed.test_id
            and test_days.metric_date = exposed.change_date
    left join converted
        on
            test_days.tenant_id = converted.test_tenant_id
            and test_days.test_id = converted.test_id
            and test_days.metric_name = converted.metric_name
            and test_days.metric_date = converted.change_date
    window test_so_far as (
        partition by test_days.tenant_id, test_days.test_id, test_days.metric_name
        order by test_days.metric_date
        rows between unbounded preceding and current row
    )

),

judged as (

    {{ experiment_statistics('counted', 'limits') }}

),

final as (

    select
        metric_date,
        tenant_id,
        test_id,

        product,
        test_name,
        metric_name,

        exposures_a,
        exposures_b,
        conversions_a,
        conversions_b,
        excluded_users,
        unknown_variant_users,
        {{ rate('conversions_a', 'exposures_a') }} as conversion_rate_a,
        {{ rate('conversions_b', 'exposures_b') }} as conversion_rate_b,
        lift,
        relative_lift,
        ci_low,
        ci_high,
        p_value,
        sequential_ci_low,
        sequential_ci_high,
        srm_p_value,

        is_srm,
        is_primary,
        exposures_a >= planned_users_per_variant
        and exposures_b >= planned_users_per_variant as is_planned_size_reached,
        is_complete
    from judged

)

select * from final
