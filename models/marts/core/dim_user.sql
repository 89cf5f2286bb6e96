with registered as (

    select * from {{ ref('int_core__registered_users') }}

),

event_users as (

    select * from {{ ref('int_core__event_users') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

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
