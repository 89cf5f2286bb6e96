-- The chance that a paying customer of a tenant leaves within 28 days, on average over its customers, as the model that
-- was active said it, from the day by whose end it was known until another was.
with predictions as (

    select * from {{ ref('stg_predictions__predictions') }}
    where prediction_type = 'churn_probability_28_days'

),

models as (

    select * from {{ ref('stg_predictions__predictive_models') }}
    where is_promoted

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

batches as (

    select
        predictions.tenant_id,
        models.trained_at,
        predictions.as_of_at,
        avg(cast(predictions.predicted_value as {{ type_numeric() }})) as churn_risk,
        max(greatest(predictions.prediction_at, models.trained_at)) as known_at
    from predictions
    inner join models on predictions.model_id = models.model_id
    group by predictions.tenant_id, models.trained_at, predictions.as_of_at

),

dated as (

    select
        tenants.product,
        batches.tenant_id,
        batches.trained_at,
        batches.as_of_at,
        batches.churn_risk,
        {{ local_date(add_interval('batches.known_at', -1, 'microsecond'), 'tenants.timezone') }} as known_date
    from batches
    inner join tenants on batches.tenant_id = tenants.tenant_id

),

-- of what became known on one day the newest model's newest word counts
newest as (

    select
        *,
        row_number() over (
            partition by product, tenant_id, known_date order by trained_at desc, as_of_at desc
        ) as place
    from dated

),

final as (

    select
        product,
        tenant_id,

        churn_risk,

        known_date,
        lead(known_date) over (partition by product, tenant_id order by known_date) as replaced_date
    from newest
    where place = 1

)

select * from final
