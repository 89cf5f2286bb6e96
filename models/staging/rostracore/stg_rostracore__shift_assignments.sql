with source as (

    select * from {{ source('raw_cdc_rostracore', 'shift_assignments') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'shift_assignment', 'assignment_id') }} as assignment_id,
        {{ entity_uuid('rostracore', 'shift', 'shift_id') }} as shift_id,
        {{ entity_uuid('rostracore', 'employee', 'employee_id') }} as employee_id,

        status,

        regular_cost as regular_cost_amount,
        overtime_cost as overtime_cost_amount,
        premium_cost as premium_cost_amount,
        travel_cost as travel_cost_amount,

        offered_at,
        responded_at,
        started_at,
        ended_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
