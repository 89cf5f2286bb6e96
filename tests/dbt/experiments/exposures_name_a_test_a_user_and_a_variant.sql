{{ config(severity='warn') }}

with exposures as (

    select * from {{ ref('int_experiments__events') }}
    where event_name = 'experiment_exposed'

)

select
    exposures.product,
    exposures.tenant_id,
    exposures.test_name,
    exposures.variant,
    count(*) as exposure_count
from exposures
left join {{ ref('int_experiments__tests') }} as tests
    on
        exposures.product = tests.product
        and exposures.test_name = tests.test_name
        and (tests.is_product_wide or exposures.tenant_id = tests.tenant_id)
where
    tests.test_id is null
    or exposures.user_id is null
    or exposures.variant not in ('A', 'B')
group by exposures.product, exposures.tenant_id, exposures.test_name, exposures.variant
