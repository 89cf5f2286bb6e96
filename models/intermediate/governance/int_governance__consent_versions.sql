with user_versions as (

    {{ union_described(var('user_histories'), {
        'tenant_id': type_uuid(),
        'user_id': type_uuid(),
        'product': type_string(),
        'version_number': 'bigint',
        'is_consented': 'boolean',
        'is_deleted': 'boolean',
        'committed_at': type_timestamp(),
        'replaced_at': type_timestamp(),
    }) }}

),

client_versions as (

    select * from {{ ref('stg_projectflo__client_versions') }}

),

final as (

    select
        product,
        tenant_id,
        user_id as subject_id,
        'user' as subject_kind,
        version_number,
        is_consented,
        is_deleted,
        committed_at,
        replaced_at
    from user_versions

    union all

    select
        product,
        tenant_id,
        client_id as subject_id,
        'client' as subject_kind,
        version_number,
        is_consented,
        is_deleted,
        committed_at,
        replaced_at
    from client_versions

)

select * from final
