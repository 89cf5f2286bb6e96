-- How many users of a tenant were first known by the end of each day: because an event named them, or because the
-- product's own register had them.
with use_days as (

    select * from {{ ref('int_customers__use_days') }}
    where user_id is not null

),

versions as (
    {%- for name in var('user_histories') %}

    select
        product,
        tenant_id,
        user_id,
        received_at
    from {{ ref(name) }}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

mentions as (

    select
        product,
        tenant_id,
        user_id,
        min(known_date) as known_date
    from use_days
    group by product, tenant_id, user_id

    union all

    select
        versions.product,
        versions.tenant_id,
        versions.user_id,
        min({{ local_date(
            add_interval('versions.received_at', -1, 'microsecond'), "coalesce(tenants.timezone, 'UTC')"
        ) }}) as known_date
    from versions
    left join tenants on versions.tenant_id = tenants.tenant_id
    where versions.tenant_id is not null
    group by versions.product, versions.tenant_id, versions.user_id

),

users as (

    select
        product,
        tenant_id,
        user_id,
        min(known_date) as known_date
    from mentions
    group by product, tenant_id, user_id

),

final as (

    select
        product,
        tenant_id,

        count(*) as user_count,

        known_date
    from users
    group by product, tenant_id, known_date

)

select * from final
