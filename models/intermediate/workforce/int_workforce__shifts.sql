-- Shifts as the source stands now, with the places taken and what they cost.
with shifts as (

    select * from {{ ref('stg_rostracore__shifts') }}

),

places_taken as (

    select * from {{ ref('int_workforce__shift_places_taken') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

staffed as (

    select
        shifts.tenant_id,
        shifts.shift_id,
        count(places_taken.assignment_id) as filled_count,
        max(
            case when places_taken.place_number = shifts.required_count then places_taken.taken_at end
        ) as filled_at,
        sum(places_taken.regular_cost_amount) as regular_cost_amount,
        sum(places_taken.overtime_cost_amount) as overtime_cost_amount,
        sum(places_taken.premium_cost_amount) as premium_cost_amount,
        sum(places_taken.travel_cost_amount) as travel_cost_amount
    from shifts
    left join places_taken
        on shifts.tenant_id = places_taken.tenant_id and shifts.shift_id = places_taken.shift_id
    group by shifts.tenant_id, shifts.shift_id

),

priced as (

    select
        shifts.*,
        coalesce(tenants.currency, '{{ var("reporting_currency") }}') as currency,
        cast(staffed.filled_count as integer) as filled_count,
        case when shifts.required_count > 0 then staffed.filled_at else shifts.posted_at end as filled_at,
        {{ local_date('shifts.starts_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        {{ to_minor_units(
            'staffed.regular_cost_amount', 'currencies.minor_unit_exponent'
        ) }} as regular_cost_cents,
        {{ to_minor_units(
            'staffed.overtime_cost_amount', 'currencies.minor_unit_exponent'
        ) }} as overtime_cost_cents,
        {{ to_minor_units(
            'staffed.premium_cost_amount', 'currencies.minor_unit_exponent'
        ) }} as premium_cost_cents,
        {{ to_minor_units(
            'staffed.travel_cost_amount', 'currencies.minor_unit_exponent'
        ) }} as travel_cost_cents,
        {{ to_minor_units('shifts.budget_amount', 'currencies.minor_unit_exponent') }} as budget_cents
    from shifts
    inner join staffed on shifts.tenant_id = staffed.tenant_id and shifts.shift_id = staffed.shift_id
    -- a tenant that nothing else tells of yet; UTC and the reporting currency stand for what dim_tenant will say
    left join tenants on shifts.tenant_id = tenants.tenant_id
    left join currencies
        on coalesce(tenants.currency, '{{ var("reporting_currency") }}') = currencies.currency

),

final as (

    select
        shift_id,
        tenant_id,
        site_id,
        roster_id,

        date_key,
        status,
        required_skill,
        currency,

        required_count,
        filled_count,
        {{ rate('least(filled_count, required_count)', 'required_count') }} as fill_rate,
        regular_cost_cents,
        overtime_cost_cents,
        premium_cost_cents,
        travel_cost_cents,
        case
            when
                regular_cost_cents is not null
                or overtime_cost_cents is not null
                or premium_cost_cents is not null
                or travel_cost_cents is not null
                then
                    coalesce(regular_cost_cents, 0)
                    + coalesce(overtime_cost_cents, 0)
                    + coalesce(premium_cost_cents, 0)
                    + coalesce(travel_cost_cents, 0)
        end as total_cost_cents,
        budget_cents,

        filled_count >= required_count as is_filled,

        starts_at,
        ends_at,
        posted_at,
        filled_at
    from priced

)

select * from final
