-- What a tenant's health is judged by, on each of its days that are over, from what was known by its end, with the
-- points that the seed gives for it. A measure that is not known has no row.
{%- set opinions = ['nps', 'csat', 'session_rating'] %}
{%- set inputs = ['known_users'] %}
{%- for opinion in opinions %}
{%- do inputs.extend([opinion ~ '_answers', opinion ~ '_sum']) %}
{%- endfor %}
{%- set values = {
    'active_user_rate': rate('active_users_28', 'known_users'),
    'active_day_rate': rate('active_days_28', 'least(observed_days, 28)'),
    'feature_adoption': '100 * ' ~ rate('feature_weight_28', 'product_weight'),
    'friction_per_visit': rate('friction_count_28', 'visit_count_28'),
    'overrides_per_roster': rate('override_count_28', 'roster_count_28'),
    'session_rating': rate('session_rating_sum', 'session_rating_answers'),
    'nps': rate('nps_sum', 'nps_answers'),
    'csat': rate('csat_sum', 'csat_answers'),
    'use_growth': 'case when observed_days >= 56 then ' ~ rate('user_days_28', 'former_user_days_28') ~ ' end',
} %}

with use_windows as (

    select * from {{ ref('int_customers__use_windows') }}

),

known_users as (

    select * from {{ ref('int_customers__known_users') }}

),

known_answers as (

    select
        *,
        {{ add_days('date_key', var('health_opinion_days') - 1) }} as last_date
    from {{ ref('int_customers__known_answers') }}

),

calendar as (

    select * from {{ ref('int_engagement__calendar') }}

),

product_weights as (

    select
        product,
        sum(weight) as product_weight
    from {{ ref('engagement_features') }}
    group by product

),

measures as (

    select * from {{ ref('health_measures') }}

),

points as (

    select
        *,
        lead(from_value) over (partition by measure order by from_value) as until_value
    from {{ ref('health_points') }}

),

first_known as (

    select
        product,
        tenant_id,
        min(known_date) as known_date
    from known_users
    group by product, tenant_id

),

-- a product whose events tell of no friction at all is not free of it
friction_tellers as (

    select
        product,
        min(metric_date) as first_date
    from use_windows
    where friction_count_28 > 0
    group by product

),

periods as (

    select
        product,
        tenant_id,
        'known_users' as input,
        cast(user_count as {{ type_numeric() }}) as amount,
        known_date as first_date,
        cast(null as date) as last_date
    from known_users
    {%- for opinion in opinions %}

    union all

    select
        product,
        tenant_id,
        '{{ opinion }}_answers' as input,
        cast(answer_count as {{ type_numeric() }}) as amount,
        known_date as first_date,
        last_date
    from known_answers
    where opinion = '{{ opinion }}' and known_date <= last_date

    union all

    select
        product,
        tenant_id,
        '{{ opinion }}_sum' as input,
        score_sum as amount,
        known_date as first_date,
        last_date
    from known_answers
    where opinion = '{{ opinion }}' and known_date <= last_date
    {%- endfor %}

),

changes as (

    select
        product,
        tenant_id,
        input,
        amount,
        first_date as metric_date
    from periods

    union all

    select
        product,
        tenant_id,
        input,
        -amount as amount,
        {{ add_days('last_date', 1) }} as metric_date
    from periods
    where last_date is not null

    union all

    select
        product,
        tenant_id,
        'none' as input,
        cast(0 as {{ type_numeric() }}) as amount,
        metric_date
    from calendar

),

daily_changes as (

    select
        product,
        tenant_id,
        {%- for input in inputs %}
        coalesce({{ sum_if("input = '" ~ input ~ "'", 'amount') }}, 0) as {{ input }},
        {%- endfor %}
        metric_date
    from changes
    group by product, tenant_id, metric_date

),

running as (

    select
        product,
        tenant_id,
        {%- for input in inputs %}
        sum({{ input }}) over tenant_days as {{ input }},
        {%- endfor %}
        metric_date
    from daily_changes
    window tenant_days as (partition by product, tenant_id order by metric_date)

),

-- a tenant is judged from the day on which its first user was known
days as (

    select
        running.*,
        use_windows.active_users_28,
        use_windows.active_days_28,
        use_windows.feature_weight_28,
        product_weights.product_weight,
        use_windows.user_days_28,
        use_windows.former_user_days_28,
        use_windows.visit_count_28,
        case when running.metric_date >= friction_tellers.first_date then use_windows.friction_count_28 end
            as friction_count_28,
        use_windows.roster_count_28,
        use_windows.override_count_28,
        {{ days_between('first_known.known_date', 'running.metric_date') }} + 1 as observed_days
    from running
    inner join calendar
        on
            running.product = calendar.product
            and running.tenant_id = calendar.tenant_id
            and running.metric_date = calendar.metric_date
    inner join use_windows
        on
            running.product = use_windows.product
            and running.tenant_id = use_windows.tenant_id
            and running.metric_date = use_windows.metric_date
    inner join first_known
        on
            running.product = first_known.product
            and running.tenant_id = first_known.tenant_id
            and running.metric_date >= first_known.known_date
    left join product_weights on running.product = product_weights.product
    left join friction_tellers on running.product = friction_tellers.product
    where calendar.is_complete

),

measured as (
    {%- for measure, value in values.items() %}

    select
        product,
        tenant_id,
        metric_date,
        '{{ measure }}' as measure,
        {{ value }} as measured_value
    from days
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

final as (

    select
        measured.product,
        measured.tenant_id,
        measured.metric_date,

        measured.measure,
        measures.component,

        measured.measured_value,
        points.points,
        measures.measure_weight
    from measured
    inner join measures on measured.measure = measures.measure
    inner join points
        on
            measured.measure = points.measure
            and measured.measured_value >= points.from_value
            and (points.until_value is null or measured.measured_value < points.until_value)

)

select * from final
