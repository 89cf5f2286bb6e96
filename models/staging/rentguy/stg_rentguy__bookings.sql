with source as (

    select * from {{ source('raw_cdc_rentguy', 'bookings') }}

),

renamed as (

    select
        'rentguy' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rentguy', 'booking', 'id') }} as booking_id,
        {{ entity_uuid('rentguy', 'project', 'project_id') }} as project_id,
        {{ entity_uuid('rentguy', 'customer', 'customer_id') }} as customer_id,
        {{ entity_uuid('rentguy', 'equipment', 'equipment_id') }} as equipment_id,

        status,
        lower(currency) as currency,

        value as booking_value_amount,

        booked_at,
        starts_at,
        ends_at,
        cancelled_at,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
