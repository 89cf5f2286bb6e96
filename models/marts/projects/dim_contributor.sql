with contributors as (

    select * from {{ ref('stg_projectflo__contributors') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

skills as (

    select
        tenant_id,
        contributor_id,
        {{ json_array_agg('skill', 'skill') }} as skills
    from {{ ref('int_projects__contributor_skills') }}
    group by tenant_id, contributor_id

),

final as (

    select
        contributors.contributor_id,
        contributors.tenant_id,
        contributors.user_id,

        contributors.role,
        contributors.status,
        tenants.currency,
        coalesce(skills.skills, cast('[]' as {{ type_json() }})) as skills,

        contributors.weekly_capacity_hours,
        {{ to_minor_units(
            'contributors.hourly_cost_amount', 'tenants.minor_unit_exponent'
        ) }} as hourly_cost_cents,

        contributors.hired_on,
        contributors.left_on
    from contributors
    inner join tenants on contributors.tenant_id = tenants.tenant_id
    left join skills
        on
            contributors.tenant_id = skills.tenant_id
            and contributors.contributor_id = skills.contributor_id

)

select * from final
