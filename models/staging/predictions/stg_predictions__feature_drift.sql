with source as (

    select * from {{ source('predictions', 'feature_drift') }}

),

renamed as (

    select
        model_id,

        feature_name,

        has_moved,

        psi,
        psi_by_chance,
        scored_rows,
        reference_rows,

        metric_date,
        measured_at
    from source

)

select * from renamed
