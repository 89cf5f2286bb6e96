with source as (

    select * from {{ source('ops', 'retention_log') }}

),

renamed as (

    select
        log_id,
        cleanup_id,
        tenant_id,

        product,
        dataset,
        how,
        rule as basis,

        row_count,
        freed_bytes,

        kept_from_date,
        first_day,
        last_day,
        as_of,
        logged_at
    from source

)

select * from renamed
