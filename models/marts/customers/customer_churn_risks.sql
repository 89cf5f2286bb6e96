with predictions as (

    select * from {{ ref('stg_predictions__predictions') }}
    where prediction_type = 'churn_probability_28_days'

),

models as (

    select * from {{ ref('stg_predictions__predictive_models') }}
    where is_active

),

customers as (

    select * from {{ ref('int_customers__customers_as_of') }}

),

subscriptions as (

    select * from {{ ref('int_customers__subscriptions_as_of') }}

),

periods as (

    select * from {{ ref('fact_subscription_periods') }}
    where policy = 'standard'

),

revenue as (

    select
        subscriptions.as_of_at,
        subscriptions.customer_id,
        {{ published_money('sum(periods.mrr_cents)') }} as mrr_cents
    from subscriptions
    inner join periods
        on
            subscriptions.subscription_id = periods.subscription_id
            and subscriptions.as_of_at >= periods.valid_from
            and (periods.valid_to is null or subscriptions.as_of_at < periods.valid_to)
    group by subscriptions.as_of_at, subscriptions.customer_id

),

active_predictions as (

    select
        predictions.*,
        max(predictions.as_of_at) over (partition by predictions.model_id) as newest_as_of_at
    from predictions
    inner join models on predictions.model_id = models.model_id

),

final as (

    select
        customers.customer_id,
        customers.tenant_id,
        customers.user_id,
        active_predictions.model_id,

        customers.product,
        customers.plan,
        active_predictions.risk_band,
        active_predictions.reasons,

        cast(active_predictions.predicted_value as {{ type_numeric() }}) as churn_probability,
        cast(active_predictions.confidence_low as {{ type_numeric() }}) as churn_probability_low,
        cast(active_predictions.confidence_high as {{ type_numeric() }}) as churn_probability_high,
        revenue.mrr_cents,

        active_predictions.as_of_at
    from active_predictions
    inner join customers
        on
            active_predictions.tenant_id = customers.tenant_id
            and active_predictions.target_entity_id = cast(customers.customer_id as {{ type_string() }})
            and active_predictions.as_of_at = customers.as_of_at
    left join revenue
        on customers.as_of_at = revenue.as_of_at and customers.customer_id = revenue.customer_id
    where active_predictions.as_of_at = active_predictions.newest_as_of_at

)

select * from final
