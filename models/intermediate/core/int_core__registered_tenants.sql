with registered as (

    {{ union_described(var('tenant_registers'), {
        'tenant_id': type_uuid(),
        'product': type_string(),
        'organization_name': type_string(),
        'country_code': type_string(),
        'region': type_string(),
        'timezone': type_string(),
        'currency': type_string(),
        'industry': type_string(),
        'plan': type_string(),
        'size_band': type_string(),
        'created_at': type_timestamp(),
    }) }}

)

select * from registered
