with registered as (

    select * from {{ ref('int_core__registered_tenants') }}

),

registered_users as (

    select * from {{ ref('int_core__registered_users') }}

),

tenant_days as (

    select * from {{ ref('int_core__tenant_days') }}

),

paying_tenants as (

    select * from {{ ref('int_revenue__tenants') }}

),

stated_timezones as (

    select * from {{ ref('int_core__stated_timezones') }}

),

statements as (

    select * from {{ ref('stg_ops__tenant_statements') }}

),

products as (

    select * from {{ ref('products') }}

),

known_timezones as (

    {{ known_timezones() }}

),

-- sources write IANA names in any case
timezones as (

    select
        lower(timezone) as timezone_key,
        min(timezone) as timezone
    from known_timezones
    group by lower(timezone)

),

mentions as (

    select
        tenant_id,
        product,
        signup_at as seen_at
    from registered_users
    where tenant_id is not null

    union all

    select
        tenant_id,
        product,
        first_event_at as seen_at
    from tenant_days

    union all

    select
        tenant_id,
        product,
        first_seen_at as seen_at
    from paying_tenants

),

-- what a source's own database says about a tenant comes before what merely mentions it
candidates as (

    select
        tenant_id,
        product,
        created_at,
        1 as precedence
    from registered

    union all

    select
        tenant_id,
        product,
        min(seen_at) as created_at,
        2 as precedence
    from mentions
    group by tenant_id, product

),

-- what the contract of a product's events says holds for tenants of whom nobody says more
product_timezones as (

    select
        product,
        timezone
    from statements
    where origin = 'contract' and tenant_id is null

),

labels as (

    select
        tenant_id,
        tenant_label
    from statements
    where origin = 'person'

),

ranked as (

    select
        *,
        row_number() over (
            partition by tenant_id
            order by precedence asc, created_at asc, product asc
        ) as rank_number
    from candidates

),

final as (

    select
        ranked.tenant_id,

        ranked.product,
        coalesce(
            nullif(trim(labels.tenant_label), ''),
            -- a name that was loaded while names counted as personal is a token, which nobody can read
            case
                when registered.organization_name not like 'tok!_%' escape '!'
                    then nullif(trim(registered.organization_name), '')
            end,
            coalesce(products.product_title, ranked.product)
            || ', unnamed tenant ' || right(cast(ranked.tenant_id as {{ type_string() }}), 8)
        ) as tenant_label,
        registered.country_code,
        registered.region,
        -- a name that nobody knows stops no build; it is told (is_timezone_known)
        coalesce(timezones.timezone, 'UTC') as timezone,
        coalesce(registered.currency, '{{ var("reporting_currency") }}') as currency,
        nullif(lower(trim(registered.industry)), '') as industry,
        registered.plan,
        registered.size_band,

        -- null where nobody says a time zone
        case
            when coalesce(stated_timezones.stated_timezone, product_timezones.timezone) is not null
                then timezones.timezone is not null
        end as is_timezone_known,

        ranked.created_at
    from ranked
    left join registered on ranked.tenant_id = registered.tenant_id and ranked.product = registered.product
    left join products on ranked.product = products.product
    left join stated_timezones on ranked.tenant_id = stated_timezones.tenant_id
    left join product_timezones on ranked.product = product_timezones.product
    left join labels on ranked.tenant_id = labels.tenant_id
    left join timezones
        on
            lower(coalesce(stated_timezones.stated_timezone, product_timezones.timezone))
            = timezones.timezone_key
    where ranked.rank_number = 1

)

select * from final
