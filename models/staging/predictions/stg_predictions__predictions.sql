with source as (

    select * from {{ source('predictions', 'predictions') }}

),

renamed as (

    select
        prediction_id,
        model_id,
        tenant_id,
        target_entity_id,

        target_entity,
        prediction_type,
        risk_band,
        reasons,
        feature_fingerprint,

        predicted_value,
        confidence_low,
        confidence_high,
        actual_outcome,

        as_of_at,
        prediction_at,
        outcome_known_at
    from source

)

select * from renamed
