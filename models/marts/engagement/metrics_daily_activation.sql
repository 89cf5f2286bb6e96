with

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

activation_events as (

    select * from {{ ref('activation_events') }}

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

-- of whoever signed up before anything was tracked nobody knows what came of it
signups as (

    select
        users.product,
        users.tenant_id,
        users.user_id,
        users.signup_date,
        users.signup_at
    from {{ ref('dim_user') }} as users
    inner join horizons
        on
            users.product = horizons.product
            and users.tenant_id = horizons.tenant_id
    where
        not users.is_anonymous
        and users.signup_date >= horizons.first_date
        and users.signup_date <= horizons.running_date

),

kinds as (

    {{ kinds_of_actions('first_actions', 'activation_events', ['milestone']) }}

),

reached as (

    select
        first_actions.product,
        first_actions.tenant_id,
        first_actions.user_id,
        min(case when kinds.milestone = 'activated' then first_actions.first_event_at end) as activated_at,
        min(case when kinds.milestone = 'onboarded' then first_actions.first_event_at end) as onboarded_at,
        min(case when kinds.milestone = 'value' then first_actions.first_event_at end) as value_at,
        min(case when kinds.milestone = 'invited' then first_actions.first_event_at end) as invited_at
    from first_actions
    inner join kinds
        on
            first_actions.product = kinds.product
            and first_actions.event_name = kinds.event_name
            and first_actions.event_detail = kinds.event_detail
    group by first_actions.product, first_actions.tenant_id, first_actions.user_id

),

-- which milestones a product tells of
told as (

    select
        product,
        bool_or(milestone = 'activated') as tells_activation,
        bool_or(milestone = 'onboarded') as tells_onboarding,
        bool_or(milestone = 'invited') as tells_invitations
    from activation_events
    group by product

),

counted as (

    select
        signups.product,
        signups.tenant_id,
        signups.signup_date,
        count(*) as signups,
        {{ count_if(
            'reached.activated_at <= ' ~ add_interval('signups.signup_at', var('activation_hours'), 'hour')
        ) }} as activated_users,
        {{ count_if(
            'reached.onboarded_at < ' ~ add_interval('signups.signup_at', var('onboarding_minutes'), 'minute')
        ) }} as quickly_onboarded_users,
        count(reached.invited_at) as inviting_users,
        -- somebody may have begun before the register knew of it
        {{ median(
            'case when reached.value_at < signups.signup_at then 0 else '
            ~ seconds_between('signups.signup_at', 'reached.value_at') ~ ' / 60 end'
        ) }} as time_to_value_minutes_median
    from signups
    left join reached
        on
            signups.product = reached.product
            and signups.tenant_id = reached.tenant_id
            and signups.user_id = reached.user_id
    group by signups.product, signups.tenant_id, signups.signup_date

),

-- known once the last of the day has had its hours, in days that are over
known as (

    select
        counted.*,
        coalesce(told.tells_activation, false) as tells_activation,
        coalesce(told.tells_onboarding, false) as tells_onboarding,
        coalesce(told.tells_invitations, false) as tells_invitations,
        {{ add_interval(
            day_start(add_days('counted.signup_date', 1), 'tenants.timezone'), var('activation_hours'), 'hour'
        ) }} <= {{ day_start('horizons.running_date', 'tenants.timezone') }} as is_complete
    from counted
    inner join horizons
        on
            counted.product = horizons.product
            and counted.tenant_id = horizons.tenant_id
    inner join tenants on counted.tenant_id = tenants.tenant_id
    left join told on counted.product = told.product

),

final as (

    select
        signup_date,
        product,
        tenant_id,
        signups,
        case when tells_activation then activated_users end as activated_users,
        case when tells_onboarding then quickly_onboarded_users end as quickly_onboarded_users,
        case when tells_invitations then inviting_users end as inviting_users,
        case when tells_activation and is_complete then {{ rate('activated_users', 'signups') }} end as activated_rate,
        case
            when tells_onboarding and is_complete then {{ rate('quickly_onboarded_users', 'signups') }}
        end as onboarded_in_30_min_rate,
        case
            when tells_invitations and is_complete then {{ rate('inviting_users', 'signups') }}
        end as invited_teammate_rate,
        cast(time_to_value_minutes_median as {{ type_numeric() }}) as time_to_value_minutes_median,
        is_complete
    from known

)

select * from final
