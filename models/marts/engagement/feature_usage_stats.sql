with

features as (

    select * from {{ ref('engagement_features') }}

),

feature_events as (

    select * from {{ ref('engagement_feature_events') }}

),

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

first_actions as (

    select first_actions.*
    from {{ ref('int_engagement__first_actions') }} as first_actions
    inner join horizons
        on
            first_actions.product = horizons.product
            and first_actions.tenant_id = horizons.tenant_id
    where first_actions.first_date <= horizons.running_date

),

kinds as (

    {{ kinds_of_actions('first_actions', 'feature_events', ['feature_name']) }}

),

users as (

    select
        first_actions.product,
        first_actions.tenant_id,
        kinds.feature_name,
        count(distinct first_actions.user_id) as unique_users_count
    from first_actions
    inner join kinds
        on
            first_actions.product = kinds.product
            and first_actions.event_name = kinds.event_name
            and first_actions.event_detail = kinds.event_detail
    group by first_actions.product, first_actions.tenant_id, kinds.feature_name

),

uses as (

    select
        product,
        tenant_id,
        feature_name,
        sum(usage_count) as usage_count,
        sum(case when is_complete then usage_count else 0 end) as complete_usage_count,
        min(metric_date) as first_date,
        min(first_used_at) as first_used_at,
        max(last_used_at) as last_used_at
    from {{ ref('metrics_daily_feature_usage') }}
    group by product, tenant_id, feature_name

),

final as (

    select
        horizons.product,
        horizons.tenant_id,
        features.feature_name,
        features.weight as feature_weight,
        cast(coalesce(uses.usage_count, 0) as bigint) as usage_count,
        coalesce(users.unique_users_count, 0) as unique_users_count,
        -- the weeks from the first day of use to the last complete one, a whole one at least
        case
            when uses.first_date <= horizons.last_complete_date
                then uses.complete_usage_count * 7.0 / greatest(
                    {{ days_between('uses.first_date', 'horizons.last_complete_date') }} + 1, 7
                )
        end as avg_uses_per_week,
        uses.first_used_at,
        uses.last_used_at
    from horizons
    inner join features on horizons.product = features.product
    left join uses
        on
            horizons.product = uses.product
            and horizons.tenant_id = uses.tenant_id
            and features.feature_name = uses.feature_name
    left join users
        on
            horizons.product = users.product
            and horizons.tenant_id = users.tenant_id
            and features.feature_name = users.feature_name

)

select * from final
