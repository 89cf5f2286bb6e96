{%- set parts = ['features', 'roster_days', 'posted_days', 'cost_days', 'hired_days'] %}

with tenants as (

    select * from {{ ref('dim_tenant') }}

),

engagement as (

    select * from {{ ref('metrics_daily_engagement') }}

),

feature_usage as (

    select * from {{ ref('metrics_daily_feature_usage') }}

),

rosters as (

    select * from {{ ref('stg_rostracore__rosters') }}

),

shifts as (

    select * from {{ ref('fact_shifts') }}

),

employees as (

    select * from {{ ref('dim_employee') }}

),

features as (

    select
        product,
        tenant_id,
        metric_date as date_key,
        count(*) as features_used_count
    from feature_usage
    where usage_count > 0
    group by product, tenant_id, metric_date

),

roster_fills as (

    select
        tenant_id,
        roster_id,
        {{ rate('sum(least(filled_count, required_count))', 'sum(required_count)') }} as fill_rate
    from shifts
    where roster_id is not null
    group by tenant_id, roster_id

),

roster_days as (

    select
        rosters.product,
        rosters.tenant_id,
        {{ local_date('rosters.created_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        count(*) as rosters_generated,
        avg(roster_fills.fill_rate) as avg_roster_fill_rate,
        avg(cast(rosters.duration_seconds as {{ type_numeric() }})) as avg_optimization_time_seconds,
        {{ rate(count_if('rosters.violation_count = 0'), 'count(rosters.violation_count)') }} as compliance_rate
    from rosters
    left join roster_fills
        on rosters.tenant_id = roster_fills.tenant_id and rosters.roster_id = roster_fills.roster_id
    left join tenants on rosters.tenant_id = tenants.tenant_id
    group by
        rosters.product,
        rosters.tenant_id,
        {{ local_date('rosters.created_at', "coalesce(tenants.timezone, 'UTC')") }}

),

posted_days as (

    select
        'rostracore' as product,
        shifts.tenant_id,
        {{ local_date('shifts.posted_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        count(*) as shifts_created
    from shifts
    left join tenants on shifts.tenant_id = tenants.tenant_id
    where shifts.posted_at is not null
    group by shifts.tenant_id, {{ local_date('shifts.posted_at', "coalesce(tenants.timezone, 'UTC')") }}

),

cost_days as (

    select
        'rostracore' as product,
        tenant_id,
        date_key,
        cast(sum(total_cost_cents) as bigint) as total_cost_scheduled_cents,
        {{ published_money(rate('sum(total_cost_cents)', 'count(total_cost_cents)')) }} as avg_cost_per_shift_cents
    from shifts
    where total_cost_cents is not null
    group by tenant_id, date_key

),

hired_days as (

    select
        'rostracore' as product,
        tenant_id,
        hired_on as date_key,
        count(*) as employees_added
    from employees
    where hired_on is not null
    group by tenant_id, hired_on

),

days as (

    select
        product,
        tenant_id,
        metric_date as date_key
    from engagement
    {%- for part in parts %}

    union

    select
        product,
        tenant_id,
        date_key
    from {{ part }}
    {%- endfor %}

),

dated as (

    select
        days.product,
        days.tenant_id,
        days.date_key,
        coalesce(tenants.currency, '{{ var("reporting_currency") }}') as currency,
        days.product = 'rostracore' as has_rosters,
        days.date_key < {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }} as is_complete
    from days
    left join tenants on days.tenant_id = tenants.tenant_id
    where days.date_key <= {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }}

),

final as (

    select
        dated.date_key,
        dated.product,
        dated.tenant_id,

        dated.currency,

        coalesce(engagement.dau, 0) as active_users,
        case when dated.has_rosters then coalesce(roster_days.rosters_generated, 0) end as rosters_generated,
        case when dated.has_rosters then coalesce(posted_days.shifts_created, 0) end as shifts_created,
        case when dated.has_rosters then coalesce(hired_days.employees_added, 0) end as employees_added,

        case when dated.is_complete then roster_days.avg_roster_fill_rate end as avg_roster_fill_rate,
        case when dated.is_complete then roster_days.avg_optimization_time_seconds end
            as avg_optimization_time_seconds,
        case when dated.is_complete then roster_days.compliance_rate end as compliance_rate,

        cost_days.total_cost_scheduled_cents,
        case when dated.is_complete then cost_days.avg_cost_per_shift_cents end as avg_cost_per_shift_cents,

        coalesce(engagement.sessions, 0) as sessions_count,
        engagement.avg_session_minutes as avg_session_duration_minutes,
        coalesce(features.features_used_count, 0) as features_used_count,

        dated.is_complete
    from dated
    left join engagement
        on
            dated.product = engagement.product
            and dated.tenant_id = engagement.tenant_id
            and dated.date_key = engagement.metric_date
    {%- for part in parts %}
    left join {{ part }}
        on
            dated.product = {{ part }}.product
            and dated.tenant_id = {{ part }}.tenant_id
            and dated.date_key = {{ part }}.date_key
    {%- endfor %}

)

select * from final
