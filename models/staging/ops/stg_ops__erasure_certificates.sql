with source as (

    select * from {{ source('ops', 'erasure_certificates') }}

),

renamed as (

    select
        certificate_id,
        request_id,

        found as rows_found,
        removed as rows_removed,
        landed_files,
        models_to_retrain,

        searched_relations,
        searched_rows,
        searched_lake_files,
        ids_searched,
        left_over as rows_left_over,

        issued_at
    from source

)

select * from renamed
