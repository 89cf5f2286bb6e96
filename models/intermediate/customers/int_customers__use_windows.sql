{{ config(
    materialized='incremental',
    indexes=[{'columns': ['metric_date', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'metric_date'], 'days': 'local', 'reach': 55}},
) }}

{%- set counts = ['visit_count', 'friction_count', 'roster_count', 'override_count'] %}
{%- set measures = ['active_users', 'feature_weight', 'active_days', 'user_days', 'former_user_days'] + counts %}

with

use_days as (

    select * from {{ ref('int_customers__use_days') }}
    where {{ is_affected('tenant_id', 'date_key') }}

),

calendar as (

    select * from {{ ref('int_engagement__calendar') }}
    where {{ is_affected('tenant_id', 'metric_date') }}

),

user_days as (

    select
        product,
        tenant_id,
        user_id,
        date_key,
        min(known_date) as known_date
    from use_days
    where user_id is not null
    group by product, tenant_id, user_id, date_key

),

feature_days as (

    select
        feature_days.product,
        feature_days.tenant_id,
        feature_days.feature_name,
        features.weight,
        feature_days.date_key,
        min(feature_days.known_date) as known_date
    from {{ ref('int_customers__feature_days') }} as feature_days
    inner join {{ ref('engagement_features') }} as features
        on
            feature_days.product = features.product
            and feature_days.feature_name = features.feature_name
    where {{ is_affected('feature_days.tenant_id', 'feature_days.date_key') }}
    group by
        feature_days.product,
        feature_days.tenant_id,
        feature_days.feature_name,
        features.weight,
        feature_days.date_key

),

-- who was active and what was used counts once, however often
once as (

    select
        product,
        tenant_id,
        'active_users' as measure,
        user_id,
        cast(null as {{ type_string() }}) as feature_name,
        cast(1 as {{ type_numeric() }}) as amount,
        date_key,
        known_date
    from user_days

    union all

    select
        product,
        tenant_id,
        'feature_weight' as measure,
        cast(null as {{ type_uuid() }}) as user_id,
        feature_name,
        weight as amount,
        date_key,
        known_date
    from feature_days

),

-- a day of use is in the window from the day on which it was known to the 27th after it
covering as (

    select
        product,
        tenant_id,
        measure,
        amount,
        known_date as first_date,
        {{ add_days('date_key', 27) }} as last_date,
        -- what tells most apart stands first: a sort seldom looks further
        max({{ add_days('date_key', 27) }}) over (
            partition by user_id, feature_name, tenant_id, product, measure
            order by known_date, date_key rows between unbounded preceding and 1 preceding
        ) as covered_date
    from once
    where known_date <= {{ add_days('date_key', 27) }}

),

-- what no earlier day of the same covers
newly_covered as (

    select
        product,
        tenant_id,
        measure,
        amount,
        case when covered_date >= first_date then {{ add_days('covered_date', 1) }} else first_date end as first_date,
        last_date
    from covering
    where covered_date is null or covered_date < last_date

),

tenant_days as (

    select
        product,
        tenant_id,
        date_key,
        min(known_date) as known_date
    from user_days
    group by product, tenant_id, date_key

),

counted_user_days as (

    select
        product,
        tenant_id,
        date_key,
        known_date,
        count(*) as user_days
    from user_days
    group by product, tenant_id, date_key, known_date

),

counted_use as (

    select
        product,
        tenant_id,
        date_key,
        {%- for count in counts %}
        sum({{ count }}) as {{ count }},
        {%- endfor %}
        known_date
    from use_days
    group by product, tenant_id, date_key, known_date

),

periods as (

    select
        product,
        tenant_id,
        measure,
        sum(amount) as amount,
        first_date,
        last_date
    from newly_covered
    group by product, tenant_id, measure, first_date, last_date

    union all

    select
        product,
        tenant_id,
        'active_days' as measure,
        1 as amount,
        known_date as first_date,
        {{ add_days('date_key', 27) }} as last_date
    from tenant_days

    union all

    select
        product,
        tenant_id,
        'user_days' as measure,
        user_days as amount,
        known_date as first_date,
        {{ add_days('date_key', 27) }} as last_date
    from counted_user_days

    union all

    select
        product,
        tenant_id,
        'former_user_days' as measure,
        user_days as amount,
        case
            when known_date > {{ add_days('date_key', 28) }} then known_date
            else {{ add_days('date_key', 28) }}
        end as first_date,
        {{ add_days('date_key', 55) }} as last_date
    from counted_user_days
    {%- for count in counts %}

    union all

    select
        product,
        tenant_id,
        '{{ count }}' as measure,
        {{ count }} as amount,
        known_date as first_date,
        {{ add_days('date_key', 27) }} as last_date
    from counted_use
    where {{ count }} > 0
    {%- endfor %}

),

changes as (

    select
        product,
        tenant_id,
        measure,
        amount,
        first_date as metric_date
    from periods
    where first_date <= last_date

    union all

    select
        product,
        tenant_id,
        measure,
        -amount as amount,
        {{ add_days('last_date', 1) }} as metric_date
    from periods
    where first_date <= last_date

    union all

    select
        product,
        tenant_id,
        'none' as measure,
        0 as amount,
        metric_date
    from calendar

),

daily_changes as (

    select
        product,
        tenant_id,
        {%- for measure in measures %}
        coalesce({{ sum_if("measure = '" ~ measure ~ "'", 'amount') }}, 0) as {{ measure }},
        {%- endfor %}
        metric_date
    from changes
    group by product, tenant_id, metric_date

),

running as (

    select
        product,
        tenant_id,
        {%- for measure in measures %}
        cast(
            sum({{ measure }}) over tenant_days as {{ type_numeric() if measure == 'feature_weight' else 'bigint' }}
        ) as {{ measure }}_28,
        {%- endfor %}
        metric_date
    from daily_changes
    window tenant_days as (partition by product, tenant_id order by metric_date)

),

final as (

    select running.*
    from running
    inner join calendar
        on
            running.product = calendar.product
            and running.tenant_id = calendar.tenant_id
            and running.metric_date = calendar.metric_date

)

select * from final
