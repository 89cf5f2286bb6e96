with rosters as (

    select * from {{ ref('stg_rostracore__rosters') }}

),

roster_measures as (

    select * from {{ ref('int_workforce__roster_measures') }}

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

weights as (

    select * from {{ ref('roster_quality_weights') }}

),

recommendations as (

    select * from {{ ref('roster_recommendations') }}

),

rated as (

    select
        *,
        {{ rate('filled_places', 'required_places') }} as fill_rate,
        {{ rate('accepted_offers', 'answered_offers') }} as acceptance_rate,
        {{ rate('least(override_count, shift_count)', 'shift_count') }} as override_rate
    from roster_measures

),

{%- set points = {
    'fill': 'fill_rate',
    'compliance': rate('1', '1 + violation_count'),
    'cost': 'case when budget_cents is not null and cost_cents is not null then least(coalesce('
        ~ rate('budget_cents', 'cost_cents') ~ ', 1), 1) end',
    'fairness': '1 - fairness_gini',
    'override': '1 - override_rate',
    'acceptance': 'acceptance_rate',
} %}

pointed as (
    {% for measure, expression in points.items() %}
    select
        tenant_id,
        roster_id,
        '{{ measure }}' as measure,
        {{ expression }} as points
    from rated
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

-- measures that are not known leave their weight to the others
weighed as (

    select
        pointed.*,
        weights.weight
    from pointed
    inner join weights on pointed.measure = weights.measure
    where pointed.points is not null

),

scored as (

    select
        tenant_id,
        roster_id,
        round(100 * {{ rate('sum(points * weight)', 'sum(weight)') }}, 4) as roster_quality_score
    from weighed
    group by tenant_id, roster_id

),

-- what a measure takes from the score weighs its sentence
advised as (

    select
        weighed.tenant_id,
        weighed.roster_id,
        recommendations.recommendation,
        row_number() over (
            partition by weighed.tenant_id, weighed.roster_id
            order by weighed.weight * (1 - weighed.points) desc, weighed.measure asc
        ) as place
    from weighed
    inner join recommendations
        on weighed.measure = recommendations.measure and weighed.points < recommendations.below_points

),

advice as (

    select
        tenant_id,
        roster_id,
        {{ json_array_agg('recommendation', 'place') }} as recommendations
    from advised
    where place <= 3
    group by tenant_id, roster_id

),

final as (

    select
        rosters.roster_id,
        rosters.tenant_id,

        {{ local_date('rosters.created_at', 'tenants.timezone') }} as date_key,
        rosters.algorithm,
        rosters.status,
        tenants.currency,
        coalesce(advice.recommendations, cast('[]' as {{ type_json() }})) as recommendations,

        cast(rated.shift_count as bigint) as shift_count,
        rated.posted_shift_count,
        cast(rosters.duration_seconds as {{ type_numeric() }}) as duration_seconds,
        rated.required_places,
        rated.filled_places,
        rated.fill_rate,
        rated.violation_count,
        rated.override_count,
        rated.override_rate,
        rated.answered_offers,
        rated.accepted_offers,
        rated.acceptance_rate,
        rated.employees_available,
        rated.fairness_gini,
        rated.cost_cents,
        rated.budget_cents,
        scored.roster_quality_score,

        rated.violation_count = 0 as is_compliant,
        coalesce(rated.last_starts_at <= {{ as_of() }}, false) as is_settled,

        rosters.created_at,
        rosters.confirmed_at
    from rosters
    inner join rated on rosters.tenant_id = rated.tenant_id and rosters.roster_id = rated.roster_id
    inner join tenants on rosters.tenant_id = tenants.tenant_id
    left join scored on rosters.tenant_id = scored.tenant_id and rosters.roster_id = scored.roster_id
    left join advice on rosters.tenant_id = advice.tenant_id and rosters.roster_id = advice.roster_id

)

select * from final
