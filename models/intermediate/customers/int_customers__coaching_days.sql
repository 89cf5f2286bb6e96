-- What UpCoach users did by UTC day, split by the Monday on which it was known (see
-- int_customers__activity_days). A row of the source counts from its first version on; later edits move
-- nothing.
{% set last_moment = add_interval('min(received_at)', -1, 'microsecond') %}
{% set known_from = add_days(week_start(local_date(last_moment, "'UTC'")), 7) %}

with goals as (

    select
        tenant_id,
        user_id,
        'goal_created' as signal,
        min({{ local_date('created_at', "'UTC'") }}) as signal_date,
        {{ known_from }} as known_from_date,
        cast(null as {{ type_numeric() }}) as signal_value
    from {{ ref('stg_upcoach__goal_versions') }}
    group by tenant_id, user_id, goal_id

),

completed_goals as (

    select
        tenant_id,
        user_id,
        'goal_completed' as signal,
        {{ earliest_by(local_date('completed_at', "'UTC'"), 'received_at, version_number') }} as signal_date,
        {{ known_from }} as known_from_date,
        cast(null as {{ type_numeric() }}) as signal_value
    from {{ ref('stg_upcoach__goal_versions') }}
    where completed_at is not null
    group by tenant_id, user_id, goal_id

),

checkins as (

    select
        tenant_id,
        user_id,
        'habit_checkin' as signal,
        checkin_date as signal_date,
        {{ known_from }} as known_from_date,
        cast(null as {{ type_numeric() }}) as signal_value
    from {{ ref('stg_upcoach__habit_checkin_versions') }}
    group by tenant_id, user_id, habit_id, checkin_date

),

moods as (

    select
        tenant_id,
        user_id,
        'mood' as signal,
        {{ earliest_by(local_date('entered_at', "'UTC'"), 'received_at, version_number') }} as signal_date,
        {{ known_from }} as known_from_date,
        {{ earliest_by('score', 'received_at, version_number') }} as signal_value
    from {{ ref('stg_upcoach__mood_entry_versions') }}
    group by tenant_id, user_id, mood_entry_id

),

chats as (

    select
        tenant_id,
        user_id,
        'chat_session' as signal,
        {{ earliest_by(local_date('started_at', "'UTC'"), 'received_at, version_number') }} as signal_date,
        {{ known_from }} as known_from_date,
        cast(null as {{ type_numeric() }}) as signal_value
    from {{ ref('stg_upcoach__chat_session_versions') }}
    group by tenant_id, user_id, chat_session_id

),

ratings as (

    select
        tenant_id,
        user_id,
        'chat_rating' as signal,
        {{ earliest_by(local_date('started_at', "'UTC'"), 'received_at, version_number') }} as signal_date,
        {{ known_from }} as known_from_date,
        {{ earliest_by('rating', 'received_at, version_number') }} as signal_value
    from {{ ref('stg_upcoach__chat_session_versions') }}
    where rating is not null
    group by tenant_id, user_id, chat_session_id

),

nudges as (

    select
        tenant_id,
        user_id,
        'nudge' as signal,
        {{ earliest_by(local_date('sent_at', "'UTC'"), 'received_at, version_number') }} as signal_date,
        {{ known_from }} as known_from_date,
        cast(null as {{ type_numeric() }}) as signal_value
    from {{ ref('stg_upcoach__ai_nudge_versions') }}
    group by tenant_id, user_id, nudge_id

),

signals as (

    select * from goals

    union all

    select * from completed_goals

    union all

    select * from checkins

    union all

    select * from moods

    union all

    select * from chats

    union all

    select * from ratings

    union all

    select * from nudges

),

final as (

    select
        tenant_id,
        user_id,
        signal,
        signal_date,
        known_from_date,
        count(*) as signal_count,
        sum(signal_value) as signal_value
    from signals
    where user_id is not null
    group by tenant_id, user_id, signal, signal_date, known_from_date

)

select * from final
