with source as (

    select * from {{ source('ops', 'load_manifest') }}

),

renamed as (

    select
        load_id,

        source_kind,
        source_name,
        file_path,

        size_bytes,
        record_count,
        stored_count,
        duplicate_count,
        rejected_count,
        ignored_count,
        conflict_count,

        loaded_at
    from source

)

select * from renamed
