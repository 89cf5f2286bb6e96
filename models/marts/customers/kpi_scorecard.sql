with targets as (

    select * from {{ ref('kpi_targets') }}

),

weekly_engagement as (

    select * from {{ ref('metrics_weekly_engagement') }}

),

user_retention as (

    select
        *,
        {{ month_start('signup_date') }} as month_start
    from {{ ref('metrics_user_retention') }}

),

activation as (

    select
        *,
        {{ month_start('signup_date') }} as month_start
    from {{ ref('metrics_daily_activation') }}

),

daily_metrics as (

    select
        *,
        {{ month_start('date_key') }} as month_start
    from {{ ref('analytics_daily_metrics') }}

),

revenue_metrics as (

    select * from {{ ref('revenue_metrics') }}
    where metric_type = 'MRR' and period_type = 'QUARTERLY'

),

monthly_revenue as (

    select
        *,
        {{ quarter_start('month_start') }} as quarter_start
    from {{ ref('metrics_monthly_revenue') }}
    where policy = 'standard'

),

goals as (

    select
        *,
        {{ month_start('metric_date') }} as month_start
    from {{ ref('metrics_daily_goals') }}

),

habits as (

    select
        *,
        {{ month_start('metric_date') }} as month_start
    from {{ ref('metrics_daily_habits') }}

),

coaching as (

    select
        *,
        {{ month_start('metric_date') }} as month_start
    from {{ ref('metrics_daily_coaching') }}

),

weeks as (

    select
        product,
        week_start,
        sum(active_users) as active_users
    from weekly_engagement
    group by product, week_start
    having {{ count_if('not is_complete') }} = 0

),

numbered_weeks as (

    select
        *,
        row_number() over (partition by product order by week_start) as week_number,
        lag(active_users) over (partition by product order by week_start) as former_active_users
    from weeks

),

quarters as (

    select
        product,
        period_start,
        value as mrr_cents,
        lag(value) over (partition by product order by period_start) as former_mrr_cents,
        is_complete
    from revenue_metrics

),

churn_quarters as (

    select
        product,
        quarter_start,
        {{ rate('sum(lost_customers)', 'sum(opening_customers)') }} as logo_churn_rate
    from monthly_revenue
    where is_complete
    group by product, quarter_start
    having count(*) = 3

),

followed_churn_quarters as (

    select
        *,
        lag(logo_churn_rate) over (partition by product order by quarter_start) as former_logo_churn_rate
    from churn_quarters

),

measured as (

    -- the first week of a product may be a part of one, which nothing is compared with
    select
        'weekly_active_users_growth' as kpi,
        product,
        'WEEKLY' as period_type,
        week_start as period_start,
        {{ rate('active_users', 'former_active_users') }} - 1 as actual_value
    from numbered_weeks
    where week_number > 2

    union all

    select
        'mrr_growth' as kpi,
        product,
        'QUARTERLY' as period_type,
        period_start,
        {{ rate('mrr_cents', 'former_mrr_cents') }} - 1 as actual_value
    from quarters
    where is_complete

    union all

    select
        'logo_churn_growth' as kpi,
        product,
        'QUARTERLY' as period_type,
        quarter_start as period_start,
        {{ rate('logo_churn_rate', 'former_logo_churn_rate') }} - 1 as actual_value
    from followed_churn_quarters

    union all

    -- a month is known once the last of its days has had its seven
    select
        'd7_retention_rate' as kpi,
        product,
        'MONTHLY' as period_type,
        month_start as period_start,
        {{ rate('sum(d7_users)', 'sum(cohort_size)') }} as actual_value
    from user_retention
    group by product, month_start
    having {{ add_days(add_months('month_start', 1), 7) }} <= {{ as_of_date("'UTC'") }} and count(d7_users) = count(*)

    union all

    select
        'onboarded_in_30_min_rate' as kpi,
        product,
        'MONTHLY' as period_type,
        month_start as period_start,
        {{ rate('sum(quickly_onboarded_users)', 'sum(signups)') }} as actual_value
    from activation
    group by product, month_start
    having {{ add_months('month_start', 1) }} < {{ as_of_date("'UTC'") }} and {{ count_if('not is_complete') }} = 0

    union all

    select
        'first_roster_in_24_h_rate' as kpi,
        product,
        'MONTHLY' as period_type,
        month_start as period_start,
        {{ rate('sum(activated_users)', 'sum(signups)') }} as actual_value
    from activation
    group by product, month_start
    having {{ add_months('month_start', 1) }} < {{ as_of_date("'UTC'") }} and {{ count_if('not is_complete') }} = 0

    union all

    select
        'minutes_per_roster' as kpi,
        product,
        'MONTHLY' as period_type,
        month_start as period_start,
        {{ rate(
            'sum(avg_optimization_time_seconds * rosters_generated)',
            '60 * ' ~ sum_if('avg_optimization_time_seconds is not null', 'rosters_generated')
        ) }} as actual_value
    from daily_metrics
    group by product, month_start
    having {{ add_months('month_start', 1) }} < {{ as_of_date("'UTC'") }} and {{ count_if('not is_complete') }} = 0

    union all

    -- goals are counted from the beginning, so a month's rate is that of its last day
    select
        'goal_completion_rate' as kpi,
        'upcoach' as product,
        'MONTHLY' as period_type,
        month_start as period_start,
        {{ rate('sum(completed_goals)', 'sum(active_goals)') }} as actual_value
    from goals
    where metric_date = {{ add_days(add_months('month_start', 1), -1) }}
    group by month_start
    having {{ count_if('not is_complete') }} = 0

    union all

    select
        'habit_streak_days' as kpi,
        'upcoach' as product,
        'MONTHLY' as period_type,
        month_start as period_start,
        {{ rate('sum(avg_streak_days * habits)', 'sum(habits)') }} as actual_value
    from habits
    group by month_start
    having {{ add_months('month_start', 1) }} < {{ as_of_date("'UTC'") }} and {{ count_if('not is_complete') }} = 0

    union all

    select
        'ai_session_satisfaction' as kpi,
        'upcoach' as product,
        'MONTHLY' as period_type,
        month_start as period_start,
        {{ rate('sum(ai_session_satisfaction * rated_sessions)', 'sum(rated_sessions)') }} as actual_value
    from coaching
    group by month_start
    having {{ add_months('month_start', 1) }} < {{ as_of_date("'UTC'") }} and {{ count_if('not is_complete') }} = 0

),

judged as (

    select
        measured.kpi,
        measured.product,
        measured.period_type,
        measured.period_start,
        round(measured.actual_value, 6) as actual_value,
        targets.direction,
        targets.unit,
        targets.target_value,
        targets.named_in,
        case targets.direction
            when 'at_least' then targets.target_value - 0.1 * abs(targets.target_value)
            else targets.target_value + 0.1 * abs(targets.target_value)
        end as amber_value
    from measured
    inner join targets
        on
            measured.kpi = targets.kpi
            and measured.product = targets.product
            and measured.period_type = targets.period_type

),

final as (

    select
        kpi,
        product,
        period_type,
        period_start,

        direction,
        unit,
        named_in,
        case
            when actual_value is null then null
            when direction = 'at_least' and actual_value >= target_value then 'green'
            when direction = 'at_most' and actual_value <= target_value then 'green'
            when direction = 'at_least' and actual_value >= amber_value then 'amber'
            when direction = 'at_most' and actual_value <= amber_value then 'amber'
            else 'red'
        end as traffic_light,

        actual_value,
        target_value,
        actual_value - target_value as variance
    from judged

)

select * from final
