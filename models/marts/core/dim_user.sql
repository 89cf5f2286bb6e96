with registered as (

    select * from {{ ref('int_core__registered_users') }}

),

erased_users as (

    select * from {{ ref('int_core__erased_users') }}

),

event_users as (

    select * from {{ ref('int_core__event_users') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

-- a user of two tenants has a row in each: a tenant's rows must be complete without another's
users as (

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

        registered.signup_at as registered_at,
        event_users.first_event_at,
        event_users.first_date_key,
        registered.deleted_at
    from registered
    full join event_users
        on registered.tenant_id = event_users.tenant_id and registered.user_id = event_users.user_id

),

final as (

    select
        users.tenant_id,
        users.user_id,
        users.coach_id,

        users.product,
        users.plan,
        users.role,
        users.country_code,

        users.is_consented,
        users.is_anonymous,
        erased_users.user_id is not null as is_erased,

        coalesce(
            {{ local_date('users.registered_at', 'tenants.timezone') }}, users.first_date_key
        ) as signup_date,
        coalesce(users.registered_at, users.first_event_at) as signup_at,
        users.deleted_at
    from users
    left join tenants on users.tenant_id = tenants.tenant_id
    left join erased_users
        on
            users.tenant_id = erased_users.tenant_id
            and users.product = erased_users.product
            and users.user_id = erased_users.user_id

)

select * from final
