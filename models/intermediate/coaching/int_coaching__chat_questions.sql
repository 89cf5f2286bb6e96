-- What clients asked a coach and when the coach answered. Several messages in a row are one question, asked with the
-- first; what the assistant writes in between answers nothing that the coach is asked.
with messages as (

    select * from {{ ref('stg_upcoach__chat_messages') }}
    where sender_role in ('client', 'coach') and sent_at is not null

),

chats as (

    select * from {{ ref('stg_upcoach__chat_sessions') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

targets as (

    select * from {{ ref('chat_response_targets') }}

),

placed as (

    select
        tenant_id,
        chat_session_id,
        sender_id,
        sender_role,
        sent_at,
        coalesce(sum(case when sender_role = 'coach' then 1 else 0 end) over (
            partition by tenant_id, chat_session_id
            order by sent_at, committed_at, chat_message_id
            rows between unbounded preceding and 1 preceding
        ), 0) as answers_before
    from messages

),

asked as (

    select
        tenant_id,
        chat_session_id,
        answers_before,
        min(sent_at) as asked_at
    from placed
    where sender_role = 'client'
    group by tenant_id, chat_session_id, answers_before

),

answers as (

    select * from placed
    where sender_role = 'coach'

),

matched as (

    select
        asked.tenant_id,
        asked.chat_session_id,
        coalesce(answers.sender_id, chats.coach_id) as coach_id,
        coalesce(answers.sender_id, chats.coach_id) is not null or chats.persona = 'coach' as is_for_a_coach,
        asked.asked_at,
        answers.sent_at as answered_at,
        {{ local_date('asked.asked_at', 'tenants.timezone') }} as asked_date,
        {{ seconds_between('asked.asked_at', 'answers.sent_at') }} / 60.0 as response_minutes,
        coalesce(targets.response_minutes, defaults.response_minutes) as target_minutes
    from asked
    inner join tenants on asked.tenant_id = tenants.tenant_id
    left join answers
        on
            asked.tenant_id = answers.tenant_id
            and asked.chat_session_id = answers.chat_session_id
            and asked.answers_before = answers.answers_before
    left join chats on asked.tenant_id = chats.tenant_id and asked.chat_session_id = chats.chat_session_id
    left join targets on tenants.plan = targets.plan
    left join targets as defaults on defaults.plan = '*'

),

final as (

    select
        tenant_id,
        chat_session_id,
        coach_id,

        response_minutes,
        target_minutes,

        case
            when answered_at is not null then response_minutes <= target_minutes
            when {{ add_interval('asked_at', 'target_minutes', 'minute') }} < {{ as_of() }} then false
        end as is_in_time,

        asked_date,
        asked_at,
        answered_at
    from matched
    -- any other chat is the assistant's
    where is_for_a_coach

)

select * from final
