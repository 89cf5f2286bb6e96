-- Only who saw a variant counts, from the first time on. Whoever saw both is out of the test from the second one on
-- (rule 65). An exposure that names no variant is one to that which the user was assigned.
with tests as (

    select * from {{ ref('int_experiments__tests') }}

),

exposures as (

    select * from {{ ref('int_experiments__events') }}
    where event_name = 'experiment_exposed' and user_id is not null and occurred_at <= {{ as_of() }}

),

ranked_assignments as (

    select
        tests.tenant_id,
        tests.test_id,
        assignments.user_id,
        upper(trim(assignments.variant)) as variant,
        assignments.assigned_at,
        row_number() over (
            partition by tests.tenant_id, tests.test_id, assignments.user_id
            order by assignments.assigned_at asc, assignments.assignment_id asc
        ) as assignment_number
    from {{ ref('stg_rostracore__ab_test_assignments') }} as assignments
    inner join tests
        on
            assignments.test_id = tests.test_id
            and (tests.is_product_wide or assignments.tenant_id = tests.tenant_id)

),

assignments as (

    select * from ranked_assignments
    where assignment_number = 1

),

seen as (

    select
        tests.product,
        tests.tenant_id as test_tenant_id,
        tests.test_id,
        exposures.tenant_id,
        exposures.user_id,
        assignments.variant as assigned_variant,
        assignments.assigned_at,
        coalesce(exposures.variant, assignments.variant) as variant,
        exposures.date_key,
        exposures.occurred_at
    from exposures
    inner join tests
        on
            exposures.product = tests.product
            and exposures.test_name = tests.test_name
            and (tests.is_product_wide or exposures.tenant_id = tests.tenant_id)
    left join assignments
        on
            tests.tenant_id = assignments.tenant_id
            and tests.test_id = assignments.test_id
            and exposures.user_id = assignments.user_id
    where
        (tests.started_on is null or exposures.date_key >= tests.started_on)
        and (tests.ended_on is null or exposures.date_key <= tests.ended_on)

),

users as (

    select
        product,
        test_tenant_id,
        test_id,
        tenant_id,
        user_id,
        min(assigned_variant) as assigned_variant,
        min(assigned_at) as assigned_at,
        count(*) as exposure_count,
        min(occurred_at) as first_seen_at,
        min(date_key) as first_seen_date,
        min(case when variant = 'A' then occurred_at end) as first_a_at,
        min(case when variant = 'A' then date_key end) as first_a_date,
        min(case when variant = 'B' then occurred_at end) as first_b_at,
        min(case when variant = 'B' then date_key end) as first_b_date
    from seen
    group by product, test_tenant_id, test_id, tenant_id, user_id

),

final as (

    select
        product,
        test_tenant_id,
        test_id,
        tenant_id,
        user_id,

        case
            when first_b_at is null or first_a_at <= first_b_at then case when first_a_at is not null then 'A' end
            else 'B'
        end as first_variant,
        assigned_variant,
        case
            when first_a_at is not null and first_b_at is not null then 'both_variants'
            when first_a_at is null and first_b_at is null then 'unknown_variant'
        end as exclusion_reason,

        exposure_count,

        coalesce(least(first_a_at, first_b_at), first_seen_at) as first_exposed_at,
        coalesce(least(first_a_date, first_b_date), first_seen_date) as first_exposed_date,
        case
            when first_a_date is not null and first_b_date is not null then greatest(first_a_date, first_b_date)
            when first_a_date is null and first_b_date is null then first_seen_date
        end as excluded_date,
        assigned_at
    from users

)

select * from final
