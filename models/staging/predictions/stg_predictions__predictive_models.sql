with source as (

    select * from {{ source('predictions', 'predictive_models') }}

),

renamed as (

    select
        model_id,

        model_type,
        task,
        model_version,
        training_data,
        verdict,
        fingerprint,

        metrics,
        baseline_metrics,
        parameters,

        is_active,
        is_promoted,

        trained_at
    from source

)

select * from renamed
