with source as (

    select * from {{ source('raw_cdc_rostracore', 'ab_test_assignments') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'ab_test_assignment', 'assignment_id') }} as assignment_id,
        {{ entity_uuid('rostracore', 'ab_test', 'test_id') }} as test_id,
        _user_id as user_id,

        variant,

        converted as is_stated_converted,

        assigned_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
