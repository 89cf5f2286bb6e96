with

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

features as (

    select * from {{ ref('engagement_features') }}

),

bands as (

    select * from {{ ref('engagement_bands') }}

),

weights as (

    select
        product,
        count(*) as features_known,
        sum(weight) as total_weight
    from features
    group by product

),

used as (

    select distinct
        product,
        tenant_id,
        feature_name,
        weight
    from {{ ref('int_engagement__recent_features') }}

),

uses as (

    select
        product,
        tenant_id,
        count(*) as features_used,
        sum(weight) as used_weight
    from used
    group by product, tenant_id

),

-- days on which anybody was active
active_days as (

    select
        actives.product,
        actives.tenant_id,
        {{ count_if('actives.dau > 0') }} as active_days_28
    from {{ ref('int_engagement__daily_actives') }} as actives
    inner join horizons
        on
            actives.product = horizons.product
            and actives.tenant_id = horizons.tenant_id
    where
        actives.metric_date > {{ add_days('horizons.last_complete_date', -28) }}
        and actives.metric_date <= horizons.last_complete_date
    group by actives.product, actives.tenant_id

),

people as (

    select
        product,
        tenant_id,
        {{ count_if('is_power_user') }} as power_users
    from {{ ref('user_engagement_bands') }}
    group by product, tenant_id

),

bounded as (

    {{ bounded_bands('bands') }}

),

counted as (

    select
        horizons.product,
        horizons.tenant_id,
        coalesce(weights.features_known, 0) as features_known,
        coalesce(uses.features_used, 0) as features_used,
        {{ adoption_score('uses.used_weight', 'weights.total_weight') }} as feature_adoption_score,
        coalesce(active_days.active_days_28, 0) as active_days_28,
        coalesce(people.power_users, 0) as power_users,
        horizons.last_complete_date
    from horizons
    left join weights on horizons.product = weights.product
    left join uses
        on
            horizons.product = uses.product
            and horizons.tenant_id = uses.tenant_id
    left join active_days
        on
            horizons.product = active_days.product
            and horizons.tenant_id = active_days.tenant_id
    left join people
        on
            horizons.product = people.product
            and horizons.tenant_id = people.tenant_id
    where horizons.first_date <= horizons.last_complete_date

),

final as (

    select
        counted.product,
        counted.tenant_id,
        bounded.engagement_band,
        counted.features_known,
        counted.features_used,
        counted.feature_adoption_score,
        counted.active_days_28,
        counted.power_users,
        counted.power_users > 0 as is_power_user,
        counted.last_complete_date
    from counted
    inner join bounded on {{ is_in_band('counted.active_days_28', 'bounded') }}

)

select * from final
