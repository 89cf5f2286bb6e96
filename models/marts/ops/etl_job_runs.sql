with runs as (

    select * from {{ ref('stg_ops__runs') }}
    where status <> 'running'

),

final as (

    select
        run_id,

        job_name,

        cast(
            {{ epoch_seconds('finished_at') }} - {{ epoch_seconds('started_at') }} as {{ dbt.type_numeric() }}
        ) as duration_seconds,

        status,
        failure_reason,

        target_date,

        started_at,
        finished_at
    from runs

)

select * from final
