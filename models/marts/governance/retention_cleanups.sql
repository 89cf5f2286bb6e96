with final as (

    select
        log_id,
        cleanup_id,
        tenant_id,

        product,
        dataset,
        how,
        basis,

        row_count,
        freed_bytes,

        kept_from_date,
        first_day,
        last_day,
        as_of,
        logged_at
    from {{ ref('stg_ops__retention_log') }}

)

select * from final
