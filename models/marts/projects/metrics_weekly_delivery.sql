with deliverables as (

    select * from {{ ref('int_projects__deliverables') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

due as (

    select
        deliverables.tenant_id,
        {{ week_start('deliverables.judged_due_on') }} as week_start,
        1 as is_due,
        case when deliverables.is_on_time then 1 else 0 end as is_on_time,
        cast(null as bigint) as revision_count
    from deliverables
    inner join tenants on deliverables.tenant_id = tenants.tenant_id
    where deliverables.judged_due_on <= tenants.running_date and deliverables.is_on_time is not null

),

accepted as (

    select
        tenant_id,
        {{ week_start('accepted_on') }} as week_start,
        0 as is_due,
        0 as is_on_time,
        revision_count
    from deliverables
    where accepted_on is not null

),

counted as (

    select * from due

    union all

    select * from accepted

),

summed as (

    select
        tenant_id,
        week_start,
        cast(sum(is_due) as bigint) as deliverables_due,
        cast(sum(is_on_time) as bigint) as delivered_on_time,
        avg(cast(revision_count as {{ type_numeric() }})) as revision_cycles_avg
    from counted
    group by tenant_id, week_start

),

final as (

    select
        summed.tenant_id,

        summed.week_start,

        summed.deliverables_due,
        summed.delivered_on_time,
        case
            when {{ add_days('summed.week_start', 7) }} <= tenants.running_date
                then {{ rate('summed.delivered_on_time', 'summed.deliverables_due') }}
        end as on_time_delivery_rate,
        summed.revision_cycles_avg,

        {{ add_days('summed.week_start', 7) }} <= tenants.running_date as is_complete
    from summed
    inner join tenants on summed.tenant_id = tenants.tenant_id

)

select * from final
