with timed as (

    select * from {{ ref('int_ops__timed_events') }}
    where hour_at <= {{ as_of() }}

),

final as (

    select
        hour_at,
        product,
        surface,

        {{ count_if('is_request') }} as requests,
        {{ count_if('is_error') }} as errors,
        {{ rate(count_if('is_error'), count_if('is_error is not null')) }} as error_rate,
        cast({{ percentile('response_ms', 0.5) }} as {{ type_numeric() }}) as response_ms_p50,
        cast({{ percentile('response_ms', 0.95) }} as {{ type_numeric() }}) as response_ms_p95,
        cast({{ percentile('response_ms', 0.99) }} as {{ type_numeric() }}) as response_ms_p99,
        count(page_load_time_ms) as page_loads,
        cast({{ percentile('page_load_time_ms', 0.5) }} as {{ type_numeric() }}) as page_load_ms_p50,
        cast({{ percentile('page_load_time_ms', 0.95) }} as {{ type_numeric() }}) as page_load_ms_p95,

        hour_at < {{ hour_start(as_of()) }} as is_complete
    from timed
    group by hour_at, product, surface

)

select * from final
