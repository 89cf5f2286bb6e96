with certifications as (

    select * from {{ ref('stg_rostracore__certifications') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dated as (

    select
        certifications.*,
        {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }} as today
    from certifications
    left join tenants on certifications.tenant_id = tenants.tenant_id

),

final as (

    select
        certification_id,
        tenant_id,
        employee_id,

        kind,
        issued_on,
        expires_on,

        {{ days_between('today', 'expires_on') }} as days_to_expiry,

        expires_on < today as is_expired
    from dated

)

select * from final
