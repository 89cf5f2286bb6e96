with role_matrix as (

    select * from {{ ref('role_matrix') }}

),

final as (

    select
        role_name,
        schema_name,
        relation_name,

        row_scope,
        audience
    from role_matrix

)

select * from final
