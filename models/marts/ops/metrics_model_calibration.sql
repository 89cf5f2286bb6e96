with predictions as (

    select * from {{ ref('stg_predictions__predictions') }}
    where actual_outcome is not null

),

models as (

    select * from {{ ref('stg_predictions__predictive_models') }}
    where task = 'binary'

),

binned as (

    select
        model_id,
        prediction_type,
        cast(least(floor(predicted_value * 10), 9) as integer) as bin_number,
        cast(predicted_value as {{ type_numeric() }}) as predicted_value,
        cast(actual_outcome as {{ type_numeric() }}) as actual_outcome,
        cast(predicted_value - actual_outcome as {{ type_numeric() }}) as miss
    from predictions

),

final as (

    select
        binned.model_id,
        binned.prediction_type,
        binned.bin_number,

        models.model_type,
        models.is_active,

        count(*) as prediction_count,
        avg(binned.predicted_value) as predicted_rate,
        avg(binned.actual_outcome) as observed_rate,
        avg(binned.miss * binned.miss) as brier_score
    from binned
    inner join models on binned.model_id = models.model_id
    group by binned.model_id, binned.prediction_type, binned.bin_number, models.model_type, models.is_active

)

select * from final
