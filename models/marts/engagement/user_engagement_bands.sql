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

dim_users as (

    select * from {{ ref('dim_user') }}

),

-- users whose first day is over
users as (

    select
        users.product,
        users.tenant_id,
        users.user_id,
        users.first_date,
        horizons.last_complete_date
    from {{ ref('int_engagement__users') }} as users
    inner join horizons
        on
            users.product = horizons.product
            and users.tenant_id = horizons.tenant_id
    where users.first_date <= horizons.last_complete_date

),

-- the constant bound is for the index: the 28 days end a day or two before the date in UTC
active_days as (

    select
        user_days.product,
        user_days.tenant_id,
        user_days.user_id,
        count(*) as active_days_28
    from {{ ref('int_engagement__user_days') }} as user_days
    inner join horizons
        on
            user_days.product = horizons.product
            and user_days.tenant_id = horizons.tenant_id
    where
        user_days.date_key >= {{ add_days(as_of_date("'UTC'"), -30) }}
        and user_days.date_key > {{ add_days('horizons.last_complete_date', -28) }}
        and user_days.date_key <= horizons.last_complete_date
    group by user_days.product, user_days.tenant_id, user_days.user_id

),

uses as (

    select
        product,
        tenant_id,
        user_id,
        count(*) as features_used,
        sum(weight) as used_weight,
        sum(case when is_power_feature then usage_count else 0 end) as power_uses
    from {{ ref('int_engagement__recent_features') }}
    group by product, tenant_id, user_id

),

weights as (

    select
        product,
        sum(weight) as total_weight
    from features
    group by product

),

bounded as (

    {{ bounded_bands('bands') }}

),

counted as (

    select
        users.product,
        users.tenant_id,
        users.user_id,
        coalesce(dim_users.is_anonymous, false) as is_anonymous,
        coalesce(dim_users.signup_date, users.first_date) as signup_date,
        users.last_complete_date,
        coalesce(active_days.active_days_28, 0) as active_days_28,
        coalesce(uses.features_used, 0) as features_used,
        coalesce(uses.power_uses, 0) as power_uses,
        {{ adoption_score('uses.used_weight', 'weights.total_weight') }} as feature_adoption_score
    from users
    left join dim_users
        on
            users.product = dim_users.product
            and users.tenant_id = dim_users.tenant_id
            and users.user_id = dim_users.user_id
    left join active_days
        on
            users.product = active_days.product
            and users.tenant_id = active_days.tenant_id
            and users.user_id = active_days.user_id
    left join uses
        on
            users.product = uses.product
            and users.tenant_id = uses.tenant_id
            and users.user_id = uses.user_id
    left join weights on users.product = weights.product

),

final as (

    select
        counted.product,
        counted.tenant_id,
        counted.user_id,
        bounded.engagement_band,
        case
            when counted.signup_date <= counted.last_complete_date
                then {{ days_between('counted.signup_date', 'counted.last_complete_date') }}
        end as days_since_signup,
        counted.active_days_28,
        counted.features_used,
        cast(counted.power_uses as bigint) as power_uses,
        counted.feature_adoption_score,
        coalesce(counted.power_uses >= bounded.min_power_uses, false) as is_power_user,
        counted.is_anonymous,
        counted.last_complete_date
    from counted
    inner join bounded on {{ is_in_band('counted.active_days_28', 'bounded') }}

)

select * from final
