-- Tasks that somebody still has to do.
with tasks as (

    select * from {{ ref('stg_projectflo__tasks') }}

),

final as (

    select
        task_id,
        tenant_id,
        project_id,

        lower(trim(skill)) as skill,
        estimated_hours,

        due_on
    from tasks
    where finished_on is null and coalesce(lower(status), '') not in ('done', 'cancelled')

)

select * from final
