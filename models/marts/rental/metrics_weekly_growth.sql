with leads as (

    select
        *,
        {{ week_start('date_key') }} as week_start
    from {{ ref('fact_leads') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

counted as (

    select
        week_start,
        tenant_id,
        channel,
        count(*) as leads,
        count(qualified_at) as qualified_leads,
        count(converted_at) as customers_won
    from leads
    group by week_start, tenant_id, channel

),

completed as (

    select
        counted.*,
        {{ add_days('counted.week_start', 7) }}
        <= {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }} as is_complete
    from counted
    left join tenants on counted.tenant_id = tenants.tenant_id

),

final as (

    select
        week_start,
        tenant_id,
        channel,

        leads,
        qualified_leads,
        customers_won,
        case when is_complete then {{ rate('customers_won', 'qualified_leads') }} end as conversion_rate,

        is_complete
    from completed

)

select * from final
