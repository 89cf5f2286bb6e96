with movements as (

    select
        *,
        coalesce(
            lag(mrr_after_cents) over (
                partition by policy, provider, product, tenant_id, customer_id
                order by date_key, case when movement_type = 'fx' then 0 else 1 end, occurred_at
            ),
            0
        ) as expected_before_cents
    from {{ ref('fact_mrr_movements') }}

)

select *
from movements
where
    abs(mrr_before_cents - expected_before_cents) > 0.000001
    or abs(mrr_before_cents + mrr_change_cents - mrr_after_cents) > 0.000001
