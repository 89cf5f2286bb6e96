with versions as (

    {{ union_described(var('user_histories'), {
        'tenant_id': type_uuid(),
        'user_id': type_uuid(),
        'product': type_string(),
        'is_current': 'boolean',
        'is_deleted': 'boolean',
    }) }}

),

-- who moved to another tenant was not deleted; who was and came back is there again
final as (

    select
        tenant_id,
        user_id,

        product
    from versions
    group by tenant_id, user_id, product
    having bool_or(is_deleted) and not bool_or(is_current)

)

select * from final
