with registered as (

    {{ union_described(var('user_registers'), {
        'tenant_id': type_uuid(),
        'user_id': type_uuid(),
        'coach_id': type_uuid(),
        'product': type_string(),
        'plan': type_string(),
        'role': type_string(),
        'country_code': type_string(),
        'is_consented': 'boolean',
        'signup_at': type_timestamp(),
        'deleted_at': type_timestamp(),
    }) }}

)

select * from registered
