{%- set kinds = ['regular', 'overtime', 'premium', 'travel'] %}

with shift_days as (

    select * from {{ ref('int_workforce__shift_days') }}

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

sites as (

    select * from {{ ref('dim_site') }}

),

summed_up as (

    select
        date_key as metric_date,
        tenant_id,
        site_id,
        {%- for kind in kinds %}
        cast(sum({{ kind }}_cost_cents) as bigint) as {{ kind }}_cost_cents,
        {%- endfor %}
        cast(sum(budget_cents) as bigint) as budget_cents,
        {{ count_if('is_first_day') }} as shift_count,
        {{ count_if('is_first_day and shift_cost_cents is not null') }} as costed_shifts,
        cast({{ sum_if('is_first_day', 'shift_cost_cents') }} as bigint) as costed_shifts_cents
    from shift_days
    group by date_key, tenant_id, site_id

),

final as (

    select
        summed_up.metric_date,
        summed_up.tenant_id,
        summed_up.site_id,

        sites.site_name,
        tenants.currency,

        {%- for kind in kinds %}
        summed_up.{{ kind }}_cost_cents,
        {%- endfor %}
        case
            when
                coalesce(
                    summed_up.regular_cost_cents,
                    summed_up.overtime_cost_cents,
                    summed_up.premium_cost_cents,
                    summed_up.travel_cost_cents
                ) is not null
                then
                    coalesce(summed_up.regular_cost_cents, 0)
                    + coalesce(summed_up.overtime_cost_cents, 0)
                    + coalesce(summed_up.premium_cost_cents, 0)
                    + coalesce(summed_up.travel_cost_cents, 0)
        end as total_cost_cents,
        summed_up.budget_cents,
        summed_up.shift_count,
        summed_up.costed_shifts,
        summed_up.costed_shifts_cents,
        {{
            published_money(rate('summed_up.costed_shifts_cents', 'summed_up.costed_shifts'))
        }} as cost_per_shift_cents,

        summed_up.metric_date < tenants.running_date as is_complete
    from summed_up
    inner join tenants on summed_up.tenant_id = tenants.tenant_id
    left join sites on summed_up.tenant_id = sites.tenant_id and summed_up.site_id = sites.site_id
    where summed_up.metric_date <= tenants.running_date

)

select * from final
