with periods as (

    select
        *,
        lead(valid_from) over (
            partition by policy, product, provider, subscription_id
            order by valid_from
        ) as next_valid_from
    from {{ ref('fact_subscription_periods') }}

)

select *
from periods
where
    valid_to <= valid_from
    or (next_valid_from is not null and (valid_to is null or valid_to > next_valid_from))
