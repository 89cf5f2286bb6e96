-- A studio is known by whatever its database holds; UTC and the reporting currency stand for what its register will
-- say.
with mentions as (

    select tenant_id from {{ ref('stg_projectflo__organizations') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__contributors') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__clients') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__leads') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__quotes') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__projects') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__deliverables') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__tasks') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__time_entries') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__equipment_bookings') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__software_seats') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__invoices') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__surveys') }}
    union distinct
    select tenant_id from {{ ref('stg_projectflo__quality_assessments') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

described as (

    select
        mentions.tenant_id,
        coalesce(tenants.timezone, 'UTC') as timezone,
        coalesce(tenants.currency, '{{ var("reporting_currency") }}') as currency
    from mentions
    left join tenants on mentions.tenant_id = tenants.tenant_id
    where mentions.tenant_id is not null

),

final as (

    select
        described.tenant_id,

        described.timezone,
        described.currency,
        coalesce(currencies.minor_unit_exponent, 2) as minor_unit_exponent,

        {{ local_date(as_of(), 'described.timezone') }} as running_date,
        {{ as_of() }} as as_of_at
    from described
    left join currencies on described.currency = currencies.currency

)

select * from final
