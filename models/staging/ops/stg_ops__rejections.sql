with source as (

    select * from {{ source('ops', 'rejected_records') }}

),

renamed as (

    select
        load_id,

        source_kind,
        source_name,
        file_path,
        line_number,
        reason_code
    from source

)

select * from renamed
