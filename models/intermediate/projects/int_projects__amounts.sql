-- Everything that counts in what a project earned and cost, exact, in minor units of the reporting currency at the rate
-- of the day it is for.
with projects as (

    select * from {{ ref('stg_projectflo__projects') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

time_costs as (

    select * from {{ ref('int_projects__time_costs') }}

),

resource_costs as (

    select * from {{ ref('stg_projectflo__resource_costs') }}

),

invoices as (

    select * from {{ ref('int_revenue__projects_invoices') }}
    where status not in ('draft', 'void')

),

currencies as (

    select * from {{ ref('currencies') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

-- net of tax; a credit note is negative already
earned as (

    select
        invoices.tenant_id,
        invoices.project_id,
        cast(null as {{ type_uuid() }}) as deliverable_id,
        'revenue' as measure,
        {{ local_date('invoices.issued_at', 'tenants.timezone') }} as date_key,
        invoices.currency,
        cast(invoices.amount_due_cents - coalesce(invoices.tax_cents, 0) as {{ type_numeric() }}) as source_cents
    from invoices
    inner join tenants on invoices.tenant_id = tenants.tenant_id

),

worked as (

    select
        tenant_id,
        project_id,
        deliverable_id,
        'contributor_cost' as measure,
        date_key,
        currency,
        cost_source_cents as source_cents
    from time_costs

),

booked as (

    select
        resource_costs.tenant_id,
        resource_costs.project_id,
        resource_costs.deliverable_id,
        'resource_cost' as measure,
        resource_costs.incurred_on as date_key,
        coalesce(resource_costs.currency, tenants.currency) as currency,
        resource_costs.cost_amount * power(
            cast(10 as {{ type_numeric() }}), coalesce(currencies.minor_unit_exponent, 2)
        ) as source_cents
    from resource_costs
    inner join tenants on resource_costs.tenant_id = tenants.tenant_id
    left join currencies on coalesce(resource_costs.currency, tenants.currency) = currencies.currency

),

amounts as (

    select * from earned

    union all

    select * from worked

    union all

    select * from booked

),

final as (

    select
        amounts.tenant_id,
        amounts.project_id,
        amounts.deliverable_id,

        amounts.measure,
        amounts.date_key,
        amounts.currency,

        amounts.source_cents,
        amounts.source_cents * {{ fx_rate('amounts.currency', 'rates.rate') }} as amount_cents
    from amounts
    -- what is booked to a project that nobody knows (yet) waits for it
    inner join projects on amounts.tenant_id = projects.tenant_id and amounts.project_id = projects.project_id
    left join rates on amounts.currency = rates.currency and amounts.date_key = rates.rate_date
    where amounts.source_cents is not null and amounts.date_key is not null

)

select * from final
