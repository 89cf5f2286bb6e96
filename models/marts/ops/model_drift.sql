with measured as (

    select * from {{ ref('stg_predictions__feature_drift') }}

),

models as (

    select * from {{ ref('stg_predictions__predictive_models') }}

),

-- a model that took another's place during a day scored last
ranked as (

    select
        measured.*,
        models.model_type,
        models.is_active,
        row_number() over (
            partition by models.model_type, measured.feature_name, measured.metric_date
            order by measured.measured_at desc, models.is_active desc, measured.model_id asc
        ) as turn
    from measured
    inner join models on measured.model_id = models.model_id

),

final as (

    select
        model_type,
        feature_name,
        metric_date,

        model_id,
        is_active,

        psi,
        psi_by_chance,
        has_moved,
        cast(scored_rows as bigint) as scored_rows,
        cast(reference_rows as bigint) as reference_rows,

        measured_at
    from ranked
    where turn = 1

)

select * from final
