-- Each skill once for each contributor, in lower case: sources write a word in any case, and some twice.
with skills as (

    select * from {{ ref('stg_projectflo__contributor_skills') }}

),

final as (

    select distinct
        tenant_id,
        contributor_id,

        lower(trim(skill)) as skill
    from skills
    where trim(skill) <> ''

)

select * from final
