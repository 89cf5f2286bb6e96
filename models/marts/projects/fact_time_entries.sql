with time_costs as (

    select * from {{ ref('int_projects__time_costs') }}

),

final as (

    select
        time_entry_id,
        tenant_id,
        contributor_id,
        project_id,
        task_id,

        date_key,
        currency,

        hours,
        cast(round(cost_source_cents) as bigint) as cost_cents
    from time_costs

)

select * from final
