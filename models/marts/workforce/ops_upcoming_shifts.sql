with shifts as (

    select
        *,
        {{ seconds_between(as_of(), 'starts_at') }} / 3600 as hours_to_start,
        {{ seconds_between('starts_at', 'ends_at') }} / 3600 as duration_hours,
        greatest(required_count - filled_count, 0) as open_count
    from {{ ref('fact_shifts') }}
    where
        status = 'open'
        and starts_at > {{ as_of() }}
        and starts_at <= {{ add_interval(as_of(), 48, 'hour') }}

),

habits as (

    select * from {{ ref('metrics_site_staffing') }}

),

predictions as (

    select * from {{ ref('stg_predictions__predictions') }}
    where prediction_type = 'fill_probability'

),

models as (

    select * from {{ ref('stg_predictions__predictive_models') }}
    where is_active

),

-- a prediction for an earlier start of a shift that was moved is none for this one
predicted as (

    select
        shifts.tenant_id,
        shifts.shift_id,
        predictions.model_id,
        cast(predictions.predicted_value as {{ type_numeric() }}) as fill_probability,
        cast(predictions.confidence_low as {{ type_numeric() }}) as fill_probability_low,
        cast(predictions.confidence_high as {{ type_numeric() }}) as fill_probability_high,
        predictions.reasons,
        predictions.as_of_at,
        row_number() over (
            partition by shifts.tenant_id, shifts.shift_id
            order by predictions.as_of_at desc, predictions.prediction_id asc
        ) as recency
    from shifts
    inner join predictions
        on
            shifts.tenant_id = predictions.tenant_id
            and cast(shifts.shift_id as {{ type_string() }}) = predictions.target_entity_id
            and {{ add_interval('shifts.starts_at', -48, 'hour') }} <= predictions.as_of_at
    inner join models on predictions.model_id = models.model_id

),

final as (

    select
        shifts.shift_id,
        shifts.tenant_id,
        shifts.site_id,
        predicted.model_id,

        shifts.required_skill,
        case
            when shifts.open_count = 0 then 'none'
            when shifts.hours_to_start <= 12 then 'critical'
            when shifts.hours_to_start <= 24 or predicted.fill_probability < 0.70 then 'high'
            else 'normal'
        end as urgency,
        shifts.currency,
        predicted.reasons,

        shifts.required_count,
        shifts.filled_count,
        shifts.open_count,
        shifts.hours_to_start,
        predicted.fill_probability,
        predicted.fill_probability_low,
        predicted.fill_probability_high,
        cast(
            round(shifts.required_count * shifts.duration_hours * habits.guard_hour_cost_cents) as bigint
        ) as expected_cost_cents,
        shifts.budget_cents,

        -- a prediction may be older than the guards who took the last places
        case
            when shifts.open_count = 0 then false
            else predicted.fill_probability < 0.70
        end as is_at_risk,

        shifts.starts_at,
        shifts.ends_at,
        shifts.posted_at,
        {{ add_interval(
            'shifts.starts_at', '-1 * habits.hours_to_fill_p90', 'hour'
        ) }} as suggested_posting_at,
        predicted.as_of_at as predicted_as_of_at
    from shifts
    left join habits on shifts.tenant_id = habits.tenant_id and shifts.site_id = habits.site_id
    left join predicted
        on
            shifts.tenant_id = predicted.tenant_id
            and shifts.shift_id = predicted.shift_id
            and predicted.recency = 1

)

select * from final
