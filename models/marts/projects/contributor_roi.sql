-- A project's month of revenue is shared by the hours that were worked on it in that month; where nobody did, by the
-- hours so far. Cents that are left go to the largest fractions, so that all shares come to the revenue (rule 113).
with cells as (

    select * from {{ ref('int_projects__profit_cells') }}
    where measure = 'revenue'

),

amounts as (

    select * from {{ ref('int_projects__time_costs') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

worked as (

    select
        amounts.tenant_id,
        amounts.contributor_id,
        amounts.project_id,
        {{ month_start('amounts.date_key') }} as month_start,
        sum(amounts.hours) as hours,
        sum(amounts.cost_source_cents * {{ fx_rate('amounts.currency', 'rates.rate') }}) as cost_cents
    from amounts
    left join rates on amounts.currency = rates.currency and amounts.date_key = rates.rate_date
    group by
        amounts.tenant_id,
        amounts.contributor_id,
        amounts.project_id,
        {{ month_start('amounts.date_key') }}

),

earned as (

    select
        tenant_id,
        project_id,
        month_start,
        sum(amount_cents) as revenue_cents
    from cells
    group by tenant_id, project_id, month_start

),

candidates as (

    select
        earned.tenant_id,
        earned.project_id,
        earned.month_start,
        earned.revenue_cents,
        worked.contributor_id,
        coalesce(sum(case when worked.month_start = earned.month_start then worked.hours end), 0) as month_hours,
        sum(worked.hours) as all_hours
    from earned
    inner join worked
        on
            earned.tenant_id = worked.tenant_id
            and earned.project_id = worked.project_id
            and earned.month_start >= worked.month_start
    group by
        earned.tenant_id,
        earned.project_id,
        earned.month_start,
        earned.revenue_cents,
        worked.contributor_id

),

weighed as (

    select
        *,
        case
            when sum(month_hours) over (partition by tenant_id, project_id, month_start) > 0 then month_hours
            else all_hours
        end as weight
    from candidates

),

shared as (

    select
        *,
        revenue_cents * weight / nullif(sum(weight) over (partition by tenant_id, project_id, month_start), 0)
            as share_cents
    from weighed

),

ranked as (

    select
        *,
        sum(floor(share_cents)) over (partition by tenant_id, project_id, month_start) as floor_total_cents,
        row_number() over (
            partition by tenant_id, project_id, month_start
            order by share_cents - floor(share_cents) desc, contributor_id asc
        ) as rank_number
    from shared
    where share_cents is not null

),

generated as (

    select
        tenant_id,
        contributor_id,
        month_start,
        sum(
            floor(share_cents)
            + case when rank_number <= revenue_cents - floor_total_cents then 1 else 0 end
        ) as revenue_cents
    from ranked
    group by tenant_id, contributor_id, month_start

),

costs as (

    select
        tenant_id,
        contributor_id,
        month_start,
        round(sum(cost_cents)) as cost_cents
    from worked
    group by tenant_id, contributor_id, month_start

),

joined as (

    select
        coalesce(generated.tenant_id, costs.tenant_id) as tenant_id,
        coalesce(generated.contributor_id, costs.contributor_id) as contributor_id,
        coalesce(generated.month_start, costs.month_start) as month_start,
        cast(coalesce(generated.revenue_cents, 0) as bigint) as revenue_generated_cents,
        cast(coalesce(costs.cost_cents, 0) as bigint) as cost_cents
    from costs
    full outer join generated
        on
            costs.tenant_id = generated.tenant_id
            and costs.contributor_id = generated.contributor_id
            and costs.month_start = generated.month_start

),

final as (

    select
        joined.contributor_id,
        joined.tenant_id,

        joined.month_start,

        joined.revenue_generated_cents,
        joined.cost_cents,
        case
            when {{ add_months('joined.month_start', 1) }} <= tenants.running_date
                then {{ rate('(joined.revenue_generated_cents - joined.cost_cents)', 'joined.cost_cents') }}
        end as roi,

        {{ add_months('joined.month_start', 1) }} <= tenants.running_date as is_complete
    from joined
    inner join tenants on joined.tenant_id = tenants.tenant_id
    where joined.contributor_id is not null

)

select * from final
