with upcoach_organizations as (

    select * from {{ ref('stg_upcoach__organizations') }}

),

rostracore_organizations as (

    select * from {{ ref('stg_rostracore__organizations') }}

),

tenant_days as (

    select * from {{ ref('int_core__tenant_days') }}

),

paying_tenants as (

    select * from {{ ref('int_revenue__tenants') }}

),

timezones as (

    {{ known_timezones() }}

),

-- what a source's own database says about a tenant comes before what merely mentions it
mentions as (

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
        min(first_event_at) as created_at,
        2 as precedence
    from tenant_days
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
    from mentions

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
