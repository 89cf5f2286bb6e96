with

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

users as (

    select * from {{ ref('int_engagement__users') }}

),

actives as (

    select * from {{ ref('int_engagement__cohort_actives') }}

),

-- as of a day in the past, what came after it is not known yet
members as (

    select
        users.product,
        users.tenant_id,
        users.user_id,
        users.first_date,
        users.last_date
    from users
    inner join horizons
        on
            users.product = horizons.product
            and users.tenant_id = horizons.tenant_id
    where users.last_date <= horizons.running_date

    union all

    select
        users.product,
        users.tenant_id,
        users.user_id,
        users.first_date,
        max(user_days.date_key) as last_date
    from users
    inner join horizons
        on
            users.product = horizons.product
            and users.tenant_id = horizons.tenant_id
    inner join {{ ref('int_engagement__user_days') }} as user_days
        on
            users.product = user_days.product
            and users.tenant_id = user_days.tenant_id
            and users.user_id = user_days.user_id
    where
        users.first_date <= horizons.running_date
        and users.last_date > horizons.running_date
        and user_days.date_key <= horizons.running_date
    group by users.product, users.tenant_id, users.user_id, users.first_date

),

leaving as (

    {% for cohort_type in cohort_types() %}
    select
        product,
        tenant_id,
        '{{ cohort_type }}' as cohort_type,
        {{ cohort_start(cohort_type, 'first_date') }} as cohort_start,
        {{ cohort_start(cohort_type, 'last_date') }} as period_start,
        count(*) as leaving_users
    from members
    group by
        product,
        tenant_id,
        {{ cohort_start(cohort_type, 'first_date') }},
        {{ cohort_start(cohort_type, 'last_date') }}
    {%- if not loop.last %}

    union all

    {%- endif -%}
    {% endfor %}

),

-- no join, whose size nobody could foresee: the newest days have no statistics
cells as (

    select
        product,
        tenant_id,
        cohort_type,
        cohort_start,
        period_start,
        active_users,
        0 as leaving_users
    from actives

    union all

    select
        product,
        tenant_id,
        cohort_type,
        cohort_start,
        period_start,
        0 as active_users,
        leaving_users
    from leaving

),

counted as (

    select
        product,
        tenant_id,
        cohort_type,
        cohort_start,
        period_start,
        sum(active_users) as active_users,
        sum(leaving_users) as leaving_users
    from cells
    group by product, tenant_id, cohort_type, cohort_start, period_start

),

-- every member leaves once
sized as (

    select
        *,
        sum(leaving_users) over (partition by product, tenant_id, cohort_type, cohort_start) as members
    from counted

),

known as (

    select
        sized.product,
        sized.tenant_id,
        sized.cohort_type,
        sized.cohort_start,
        sized.period_start,
        sized.leaving_users,
        -- in the running period there may be users that nobody has heard of yet
        case when sized.period_start = sized.cohort_start then sized.members else sized.active_users end as active_users
    from sized
    inner join horizons
        on
            sized.product = horizons.product
            and sized.tenant_id = horizons.tenant_id
    where
        sized.period_start <= horizons.running_date
        and sized.active_users > 0
        and sized.members > 0

),

final as (

    {% for cohort_type in cohort_types() %}
    select
        product,
        tenant_id,
        cohort_type,
        cohort_start,
        {{ cohort_period_number(cohort_type, 'cohort_start', 'period_start') }} as period_number,
        cast(active_users as bigint) as active_users,
        cast(leaving_users as bigint) as leaving_users
    from known
    where cohort_type = '{{ cohort_type }}'
    {%- if not loop.last %}

    union all

    {%- endif -%}
    {% endfor %}

)

select * from final
