with employees as (

    select * from {{ ref('stg_rostracore__employees') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

final as (

    select
        employees.employee_id,
        employees.tenant_id,

        employees.status,
        coalesce(tenants.currency, '{{ var("reporting_currency") }}') as currency,
        employees.hired_on,
        employees.terminated_on,

        {{ to_minor_units(
            'employees.hourly_pay_amount', 'currencies.minor_unit_exponent'
        ) }} as hourly_pay_cents,

        employees.terminated_on is null
        or employees.terminated_on >= {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }} as is_employed
    from employees
    left join tenants on employees.tenant_id = tenants.tenant_id
    left join currencies
        on coalesce(tenants.currency, '{{ var("reporting_currency") }}') = currencies.currency

)

select * from final
