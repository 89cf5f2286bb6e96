with upcoach_organizations as (

    select * from {{ ref('stg_upcoach__organizations') }}

),

rostracore_organizations as (

    select * from {{ ref('stg_rostracore__organizations') }}

),

mentioned as (

    select
        tenant_id,
        product,
        signup_at as seen_at
    from {{ ref('stg_upcoach__users') }}
    where tenant_id is not null

    union all

    select
        tenant_id,
        product,
        created_at as seen_at
    from {{ ref('stg_rostracore__users') }}
    where tenant_id is not null

    union all

    select
        tenant_id,
        product,
        first_event_at as seen_at
    from {{ ref('int_core__tenant_days') }}

    union all

    select
        tenant_id,
        product,
        first_seen_at as seen_at
    from {{ ref('int_revenue__tenants') }}

),

paying_tenants as (

    select * from {{ ref('int_revenue__tenants') }}

),

timezones as (

    {{ known_timezones() }}

),

-- what a source's own database says about a tenant comes before what merely mentions it
candidates as (

    select
        tenant_id,
        product,
        country_code,
        region,
        timezone,
        currency,
        industry,
        plan,
        size_band,
        created_at,
        1 as precedence
    from upcoach_organizations

    union all

    select
        tenant_id,
        product,
        country_code,
        region,
        timezone,
        currency,
        industry,
        plan,
        size_band,
        created_at,
        1 as precedence
    from rostracore_organizations

    union all

    select
        tenant_id,
        product,
        null as country_code,
        null as region,
        null as timezone,
        null as currency,
        null as industry,
        null as plan,
        null as size_band,
        min(seen_at) as created_at,
        2 as precedence
    from mentioned
    group by tenant_id, product

    union all

    select
        tenant_id,
        product,
        null as country_code,
        null as region,
        null as timezone,
        null as currency,
        null as industry,
        null as plan,
        null as size_band,
        first_seen_at as created_at,
        3 as precedence
    from paying_tenants

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
        ranked.country_code,
        ranked.region,
        -- a name the engine does not know must not stop a build
        coalesce(timezones.timezone, 'UTC') as timezone,
        coalesce(ranked.currency, '{{ var("reporting_currency") }}') as currency,
        ranked.industry,
        ranked.plan,
        ranked.size_band,

        ranked.created_at
    from ranked
    left join timezones on ranked.timezone = timezones.timezone
    where ranked.rank_number = 1

)

select * from final
