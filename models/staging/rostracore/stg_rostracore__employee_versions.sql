with source as (

    select * from {{ source('raw_cdc_rostracore_history', 'employees') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'employee', 'employee_id') }} as employee_id,

        hourly_rate as hourly_pay_amount,
        hired_on,
        terminated_on,

        version_number,
        valid_from as committed_at,
        _received_at as received_at
    from source

)

select * from renamed
