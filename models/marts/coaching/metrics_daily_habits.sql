{%- set full_streak_days = 7 -%}

with habit_days as (

    select * from {{ ref('int_coaching__habit_days') }}
    where due_7_days > 0

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

scored as (

    select
        tenant_id,
        date_key,
        due,
        done,
        due_7_days,
        done_7_days,
        streak_days,
        100 * (
            {{ var('habit_done_weight') }} * {{ rate('done_7_days', 'due_7_days') }}
            + {{ var('habit_streak_weight') }}
            * {{ rate('least(streak_days, ' ~ full_streak_days ~ ')', full_streak_days) }}
        ) as adherence_score
    from habit_days

),

counted as (

    select
        scored.date_key as metric_date,
        scored.tenant_id,
        count(*) as habits,
        cast(sum(scored.due_7_days) as bigint) as due,
        cast(sum(scored.done_7_days) as bigint) as done,
        cast(sum(scored.due) as bigint) as due_that_day,
        cast(sum(scored.done) as bigint) as done_that_day,
        avg(scored.adherence_score) as habit_adherence_score,
        avg(cast(scored.streak_days as {{ type_numeric() }})) as avg_streak_days,
        scored.date_key < {{ as_of_date('min(tenants.timezone)') }} as is_complete
    from scored
    inner join tenants on scored.tenant_id = tenants.tenant_id
    group by scored.date_key, scored.tenant_id

),

final as (

    select
        metric_date,
        tenant_id,

        habits,
        done,
        due,
        done_that_day,
        due_that_day,
        case when is_complete then round(habit_adherence_score, 6) end as habit_adherence_score,
        case when is_complete then round(avg_streak_days, 6) end as avg_streak_days,

        is_complete
    from counted

)

select * from final
