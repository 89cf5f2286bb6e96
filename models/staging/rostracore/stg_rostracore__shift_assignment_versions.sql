with source as (

    select * from {{ source('raw_cdc_rostracore_history', 'shift_assignments') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'shift_assignment', 'assignment_id') }} as assignment_id,
        {{ entity_uuid('rostracore', 'shift', 'shift_id') }} as shift_id,
        {{ entity_uuid('rostracore', 'employee', 'employee_id') }} as employee_id,

        status,

        version_number,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
