{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local'}},
) }}

with

scans as (

    select * from {{ ref('fact_scans') }}
    where {{ is_affected('tenant_id', 'date_key') }}

),

calendar as (

    select * from {{ ref('int_rental__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

counted as (

    select
        tenant_id,
        date_key as metric_date,
        count(*) as scans,
        {{ count_if("outcome = 'exception'") }} as exceptions,
        {{ count_if('is_status_change') }} as status_changes
    from scans
    group by tenant_id, date_key

),

final as (

    select
        counted.metric_date,
        counted.tenant_id,

        counted.scans,
        counted.exceptions,
        case when calendar.is_complete then {{ rate('counted.exceptions', 'counted.scans') }} end
            as exception_rate,
        counted.status_changes,

        calendar.is_complete
    from counted
    inner join calendar on counted.tenant_id = calendar.tenant_id and counted.metric_date = calendar.metric_date

)

select * from final
