with chats as (

    select * from {{ ref('stg_upcoach__chat_sessions') }}

),

questions as (

    select * from {{ ref('int_coaching__chat_questions') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

begun as (

    select
        chats.tenant_id,
        {{ local_date('chats.started_at', 'tenants.timezone') }} as metric_date,
        count(*) as chat_sessions,
        count(chats.rating) as rated_sessions,
        sum(chats.rating) as rating_sum
    from chats
    inner join tenants on chats.tenant_id = tenants.tenant_id
    where chats.started_at is not null
    group by chats.tenant_id, {{ local_date('chats.started_at', 'tenants.timezone') }}

),

asked as (

    select
        tenant_id,
        asked_date as metric_date,
        count(*) as questions_asked,
        count(is_in_time) as questions_judged,
        {{ count_if('is_in_time') }} as questions_in_time,
        round(cast({{ median('response_minutes') }} as {{ type_numeric() }}), 3) as response_minutes_median
    from questions
    group by tenant_id, asked_date

),

counted as (

    select
        coalesce(begun.metric_date, asked.metric_date) as metric_date,
        coalesce(begun.tenant_id, asked.tenant_id) as tenant_id,
        coalesce(begun.chat_sessions, 0) as chat_sessions,
        coalesce(begun.rated_sessions, 0) as rated_sessions,
        begun.rating_sum,
        coalesce(asked.questions_asked, 0) as questions_asked,
        coalesce(asked.questions_judged, 0) as questions_judged,
        coalesce(asked.questions_in_time, 0) as questions_in_time,
        asked.response_minutes_median
    from begun
    full join asked on begun.tenant_id = asked.tenant_id and begun.metric_date = asked.metric_date

),

completed as (

    select
        counted.*,
        counted.metric_date < {{ as_of_date('tenants.timezone') }} as is_complete
    from counted
    inner join tenants on counted.tenant_id = tenants.tenant_id

),

final as (

    select
        metric_date,
        tenant_id,

        chat_sessions,
        rated_sessions,
        case when is_complete then {{ rate('rating_sum', 'rated_sessions') }} end as ai_session_satisfaction,
        questions_asked,
        questions_judged,
        questions_in_time,
        case when is_complete then {{ rate('questions_in_time', 'questions_judged') }} end as chat_response_sla_rate,
        case when is_complete then response_minutes_median end as message_response_minutes_median,

        is_complete
    from completed

)

select * from final
