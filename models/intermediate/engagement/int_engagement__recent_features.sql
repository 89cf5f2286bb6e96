with

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

feature_events as (

    select * from {{ ref('engagement_feature_events') }}

),

features as (

    select * from {{ ref('engagement_features') }}

),

-- the constant bound is for the index: the 28 days end a day or two before the date in UTC
actions as (

    select actions.*
    from {{ ref('int_engagement__user_action_days') }} as actions
    inner join horizons
        on
            actions.product = horizons.product
            and actions.tenant_id = horizons.tenant_id
    where
        actions.date_key >= {{ add_days(as_of_date("'UTC'"), -30) }}
        and actions.date_key > {{ add_days('horizons.last_complete_date', -28) }}
        and actions.date_key <= horizons.last_complete_date

),

kinds as (

    {{ kinds_of_actions('actions', 'feature_events', ['feature_name']) }}

),

uses as (

    select
        actions.product,
        actions.tenant_id,
        actions.user_id,
        kinds.feature_name,
        sum(actions.event_count) as usage_count
    from actions
    inner join kinds
        on
            actions.product = kinds.product
            and actions.event_name = kinds.event_name
            and actions.event_detail = kinds.event_detail
    group by actions.product, actions.tenant_id, actions.user_id, kinds.feature_name

),

final as (

    select
        uses.product,
        uses.tenant_id,
        uses.user_id,
        uses.feature_name,
        features.weight,
        features.is_power_feature,
        cast(uses.usage_count as bigint) as usage_count
    from uses
    inner join features
        on
            uses.product = features.product
            and uses.feature_name = features.feature_name

)

select * from final
