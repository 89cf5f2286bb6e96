with source as (

    select * from {{ source('ops', 'run_log') }}

),

renamed as (

    select
        run_id,

        job_name,
        status,
        fingerprint,
        {{ json_text('details', ['reason']) }} as failure_reason,

        cast({{ json_text('details', ['target_date']) }} as date) as target_date,

        started_at,
        finished_at
    from source

)

select * from renamed
