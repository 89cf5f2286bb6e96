-- What a tenant's shifts are counted by: its days, its money, its working hours. A tenant that nothing but its shifts
-- tells of yet has UTC, the reporting currency and the hours of all other countries.
with shifts as (

    select * from {{ ref('stg_rostracore__shifts') }}

),

rosters as (

    select * from {{ ref('stg_rostracore__rosters') }}

),

assignments as (

    select * from {{ ref('stg_rostracore__shift_assignments') }}

),

employees as (

    select * from {{ ref('stg_rostracore__employees') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

rules as (

    select * from {{ ref('work_rules') }}

),

manual as (

    select * from {{ ref('manual_rostering') }}

),

known as (

    select tenant_id from shifts
    union
    select tenant_id from rosters
    union
    select tenant_id from assignments
    union
    select tenant_id from employees

),

described as (

    select
        known.tenant_id,
        tenants.country_code,
        coalesce(tenants.timezone, 'UTC') as timezone,
        coalesce(tenants.currency, '{{ var("reporting_currency") }}') as currency
    from known
    left join tenants on known.tenant_id = tenants.tenant_id
    where known.tenant_id is not null

),

began as (

    select
        tenant_id,
        min(began_at) as began_at
    from (
        select
            tenant_id,
            starts_at as began_at
        from shifts

        union all

        select
            tenant_id,
            created_at as began_at
        from rosters
    ) as moments
    group by tenant_id

),

final as (

    select
        described.tenant_id,
        described.timezone,
        described.currency,
        currencies.minor_unit_exponent,
        coalesce(own_rules.shift_hours, all_rules.shift_hours) as shift_hours,
        coalesce(own_rules.week_hours, all_rules.week_hours) as week_hours,
        coalesce(own_rules.night_starts_hour, all_rules.night_starts_hour) as night_starts_hour,
        coalesce(own_rules.night_ends_hour, all_rules.night_ends_hour) as night_ends_hour,
        coalesce(own_manual.manual_hours, all_manual.manual_hours) as manual_hours,
        coalesce(own_manual.hourly_pay_amount, all_manual.hourly_pay_amount) as scheduler_pay_amount,
        {{ local_date('began.began_at', 'described.timezone') }} as first_date,
        {{ as_of_date('described.timezone') }} as running_date
    from described
    left join began on described.tenant_id = began.tenant_id
    left join currencies on described.currency = currencies.currency
    left join rules as own_rules on described.country_code = own_rules.country_code
    left join rules as all_rules on all_rules.country_code = '*'
    left join manual as own_manual on described.currency = own_manual.currency
    left join manual as all_manual on all_manual.currency = '*'

)

select * from final
