with shifts as (

    select
        *,
        filled_count * {{ seconds_between('starts_at', 'ends_at') }} / 3600 as guard_hours,
        {{ seconds_between('posted_at', 'filled_at') }} / 3600 as hours_to_fill
    from {{ ref('fact_shifts') }}
    where
        status <> 'cancelled'
        and starts_at <= {{ as_of() }}
        and starts_at > {{ add_interval(as_of(), -90, 'day') }}

),

sites as (

    select * from {{ ref('dim_site') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

site_habits as (

    select
        tenant_id,
        site_id,
        count(*) as shift_count,
        sum(total_cost_cents) as cost_cents,
        {{ sum_if('total_cost_cents is not null', 'guard_hours') }} as guard_hours,
        {{ percentile('case when is_filled then hours_to_fill end', 0.9) }} as hours_to_fill_p90
    from shifts
    group by tenant_id, site_id

),

tenant_habits as (

    select
        tenant_id,
        sum(total_cost_cents) as cost_cents,
        {{ sum_if('total_cost_cents is not null', 'guard_hours') }} as guard_hours,
        {{ percentile('case when is_filled then hours_to_fill end', 0.9) }} as hours_to_fill_p90
    from shifts
    group by tenant_id

),

final as (

    select
        sites.site_id,
        sites.tenant_id,

        coalesce(tenants.currency, '{{ var("reporting_currency") }}') as currency,

        coalesce(site_habits.shift_count, 0) as shift_count,
        {{ published_money(
            'coalesce('
            ~ rate('site_habits.cost_cents', 'site_habits.guard_hours') ~ ', '
            ~ rate('tenant_habits.cost_cents', 'tenant_habits.guard_hours') ~ ')'
        ) }} as guard_hour_cost_cents,
        cast(
            coalesce(site_habits.hours_to_fill_p90, tenant_habits.hours_to_fill_p90) as {{ type_numeric() }}
        ) as hours_to_fill_p90
    from sites
    left join site_habits
        on sites.tenant_id = site_habits.tenant_id and sites.site_id = site_habits.site_id
    left join tenant_habits on sites.tenant_id = tenant_habits.tenant_id
    left join tenants on sites.tenant_id = tenants.tenant_id

)

select * from final
