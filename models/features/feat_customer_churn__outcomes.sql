-- Apart from the features, because an outcome may be corrected by what arrives later and a feature may not.
-- Whoever did not pay at as-of time by all that is known today has no outcome.
with subscriptions as (

    select * from {{ ref('int_customers__subscriptions_as_of') }}

),

customers as (

    select * from {{ ref('int_customers__customers_as_of') }}

),

periods as (

    select * from {{ ref('fact_subscription_periods') }}
    where policy = 'standard' and mrr_source_cents > 0

),

churns as (

    select * from {{ ref('fact_mrr_movements') }}
    where policy = 'standard' and movement_type = 'churn'

),

-- the customer as revenue knows it today: ids of one person may have been found to belong together since
payers as (

    select distinct
        subscriptions.as_of_at,
        subscriptions.customer_id,
        periods.customer_id as payer_id
    from subscriptions
    inner join periods
        on
            subscriptions.subscription_id = periods.subscription_id
            and subscriptions.as_of_at >= periods.valid_from
            and (periods.valid_to is null or subscriptions.as_of_at < periods.valid_to)

),

judged as (

    select
        payers.as_of_at,
        payers.customer_id,
        max(case when churns.customer_id is not null then 1 else 0 end) as has_churned
    from payers
    left join churns
        on
            payers.payer_id = churns.customer_id
            and payers.as_of_at < churns.occurred_at
            and {{ add_interval('payers.as_of_at', 28, 'day') }} >= churns.occurred_at
    group by payers.as_of_at, payers.customer_id

),

dated as (

    select
        customers.tenant_id,
        customers.customer_id,
        customers.as_of_at,
        judged.has_churned,
        case
            when judged.customer_id is not null then {{ add_interval('customers.as_of_at', 28, 'day') }}
        end as label_known_at
    from customers
    left join judged on customers.as_of_at = judged.as_of_at and customers.customer_id = judged.customer_id

),

final as (

    select
        tenant_id,
        customer_id,
        as_of_at,
        case when label_known_at <= {{ as_of() }} then has_churned end as label,
        label_known_at
    from dated

)

select * from final
