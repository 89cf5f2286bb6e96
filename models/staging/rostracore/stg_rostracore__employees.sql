with source as (

    select * from {{ source('raw_cdc_rostracore', 'employees') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'employee', 'employee_id') }} as employee_id,

        full_name as full_name_token,
        id_number as id_number_token,
        phone as phone_token,
        status,

        home_latitude,
        home_longitude,
        hourly_rate as hourly_pay_amount,

        hired_on,
        terminated_on,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
