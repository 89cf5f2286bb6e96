-- What each hour cost: the hourly cost that held on the day it is for (rule 112). Before the first that is known, that.
with time_entries as (

    select * from {{ ref('stg_projectflo__time_entries') }}

),

versions as (

    select * from {{ ref('stg_projectflo__contributor_versions') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

tasks as (

    select * from {{ ref('stg_projectflo__tasks') }}

),

costs as (

    select
        versions.tenant_id,
        versions.contributor_id,
        versions.version_number,
        versions.hourly_cost_amount,
        coalesce(
            versions.cost_effective_on, {{ local_date('versions.committed_at', 'tenants.timezone') }}
        ) as effective_on
    from versions
    inner join tenants on versions.tenant_id = tenants.tenant_id

),

candidates as (

    select
        time_entries.tenant_id,
        time_entries.time_entry_id,
        costs.hourly_cost_amount,
        row_number() over (
            partition by time_entries.tenant_id, time_entries.time_entry_id
            order by
                case when costs.effective_on <= time_entries.worked_on then 0 else 1 end,
                case
                    when costs.effective_on <= time_entries.worked_on then -costs.version_number
                    else costs.version_number
                end
        ) as rank_number
    from time_entries
    inner join costs
        on time_entries.tenant_id = costs.tenant_id and time_entries.contributor_id = costs.contributor_id

),

final as (

    select
        time_entries.time_entry_id,
        time_entries.tenant_id,
        time_entries.contributor_id,
        time_entries.project_id,
        time_entries.task_id,
        tasks.deliverable_id,

        tenants.currency,
        time_entries.worked_on as date_key,

        time_entries.hours,
        time_entries.hours * candidates.hourly_cost_amount
        * power(cast(10 as {{ type_numeric() }}), tenants.minor_unit_exponent) as cost_source_cents
    from time_entries
    inner join tenants on time_entries.tenant_id = tenants.tenant_id
    left join candidates
        on
            time_entries.tenant_id = candidates.tenant_id
            and time_entries.time_entry_id = candidates.time_entry_id
            and candidates.rank_number = 1
    -- a task of another project says nothing of this one's deliverables
    left join tasks
        on
            time_entries.tenant_id = tasks.tenant_id
            and time_entries.task_id = tasks.task_id
            and time_entries.project_id = tasks.project_id

)

select * from final
