with upcoach_users as (

    select * from {{ ref('stg_upcoach__users') }}

),

rostracore_users as (

    select * from {{ ref('stg_rostracore__users') }}

),

event_users as (

    select * from {{ ref('int_core__event_users') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

registered as (

    select
        tenant_id,
        user_id,
        coach_id,
        product,
        plan,
        role,
        country_code,
        is_consented,
        signup_at,
        deleted_at
    from upcoach_users

    union all

    select
        tenant_id,
        user_id,
        null as coach_id,
        product,
        null as plan,
        role,
        null as country_code,
        is_consented,
        created_at as signup_at,
        null as deleted_at
    from rostracore_users

),

-- a user of two tenants has a row in each: a tenant's rows must be complete without another's
final as (

    select
        coalesce(registered.tenant_id, event_users.tenant_id) as tenant_id,
        coalesce(registered.user_id, event_users.user_id) as user_id,
        registered.coach_id,

        coalesce(registered.product, event_users.product) as product,
        registered.plan,
        registered.role,
        coalesce(registered.country_code, event_users.country_code) as country_code,

        coalesce(registered.is_consented, false) as is_consented,
        coalesce(event_users.is_anonymous, false) as is_anonymous,
        false as is_erased,

        coalesce(
            {{ local_date('registered.signup_at', 'tenants.timezone') }}, event_users.first_date_key
        ) as signup_date,
        coalesce(registered.signup_at, event_users.first_event_at) as signup_at,
        registered.deleted_at
    from registered
    full join event_users
        on registered.tenant_id = event_users.tenant_id and registered.user_id = event_users.user_id
    left join tenants on coalesce(registered.tenant_id, event_users.tenant_id) = tenants.tenant_id

)

select * from final
