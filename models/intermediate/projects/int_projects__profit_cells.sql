-- Whole cents of each project by month, deliverable and measure. A project's total is rounded once; its cells are
-- rounded down, and the cents that are left go to the largest fractions (rule 113). So whatever is summed from cells,
-- by project, service or client, comes to the same.
with amounts as (

    select * from {{ ref('int_projects__amounts') }}

),

deliverables as (

    select * from {{ ref('int_projects__deliverables') }}

),

weighed as (

    select
        tenant_id,
        project_id,
        deliverable_id,
        greatest(coalesce(quoted_amount, 0), 0) as quoted_amount,
        sum(greatest(coalesce(quoted_amount, 0), 0)) over (partition by tenant_id, project_id) as quoted_total,
        count(*) over (partition by tenant_id, project_id) as deliverable_count
    from deliverables

),

weights as (

    select
        tenant_id,
        project_id,
        deliverable_id,
        case
            when quoted_total > 0 then {{ rate('quoted_amount', 'quoted_total') }}
            else {{ rate('1', 'deliverable_count') }}
        end as weight
    from weighed

),

-- what names a deliverable of the project is that one's, the rest is shared
attributed as (

    select
        amounts.tenant_id,
        amounts.project_id,
        amounts.measure,
        {{ month_start('amounts.date_key') }} as month_start,
        amounts.amount_cents,
        own.deliverable_id
    from amounts
    left join weights as own
        on
            amounts.tenant_id = own.tenant_id
            and amounts.project_id = own.project_id
            and amounts.deliverable_id = own.deliverable_id

),

monthly as (

    select
        tenant_id,
        project_id,
        measure,
        month_start,
        deliverable_id,
        sum(amount_cents) as amount_cents
    from attributed
    group by tenant_id, project_id, measure, month_start, deliverable_id

),

totals as (

    select
        tenant_id,
        project_id,
        measure,
        round(sum(amount_cents)) as total_cents
    from monthly
    group by tenant_id, project_id, measure

),

shared as (

    select
        monthly.tenant_id,
        monthly.project_id,
        monthly.measure,
        monthly.month_start,
        coalesce(monthly.deliverable_id, weights.deliverable_id) as deliverable_id,
        sum(monthly.amount_cents * coalesce(weights.weight, 1)) as amount_cents
    from monthly
    left join weights
        on
            monthly.tenant_id = weights.tenant_id
            and monthly.project_id = weights.project_id
            and monthly.deliverable_id is null
    group by
        monthly.tenant_id,
        monthly.project_id,
        monthly.measure,
        monthly.month_start,
        coalesce(monthly.deliverable_id, weights.deliverable_id)

),

ranked as (

    select
        shared.tenant_id,
        shared.project_id,
        shared.measure,
        shared.month_start,
        shared.deliverable_id,
        coalesce(deliverables.deliverable_type, 'unknown') as deliverable_type,
        floor(shared.amount_cents) as floor_cents,
        sum(floor(shared.amount_cents)) over (
            partition by shared.tenant_id, shared.project_id, shared.measure
        ) as floor_total_cents,
        row_number() over (
            partition by shared.tenant_id, shared.project_id, shared.measure
            order by
                shared.amount_cents - floor(shared.amount_cents) desc,
                shared.month_start asc,
                deliverables.created_at asc,
                shared.deliverable_id asc
        ) as rank_number
    from shared
    left join deliverables
        on shared.tenant_id = deliverables.tenant_id and shared.deliverable_id = deliverables.deliverable_id

),

final as (

    select
        ranked.tenant_id,
        ranked.project_id,
        ranked.deliverable_id,

        ranked.deliverable_type,
        ranked.measure,
        ranked.month_start,

        cast(
            ranked.floor_cents
            + case when ranked.rank_number <= totals.total_cents - ranked.floor_total_cents then 1 else 0 end
            as bigint
        ) as amount_cents
    from ranked
    inner join totals
        on
            ranked.tenant_id = totals.tenant_id
            and ranked.project_id = totals.project_id
            and ranked.measure = totals.measure

)

select * from final
