-- The first conversion after the first exposure, no later than the test's last day; what came before, or at the very
-- same moment, cannot come of it (rule 65).
with users as (

    select * from {{ ref('int_experiments__users') }}

),

tests as (

    select * from {{ ref('int_experiments__tests') }}

),

metrics as (

    select * from {{ ref('experiment_metrics') }}

),

events as (

    select * from {{ ref('int_experiments__events') }}
    where user_id is not null and occurred_at <= {{ as_of() }}

),

final as (

    select
        users.test_tenant_id,
        users.test_id,
        users.tenant_id,
        users.user_id,

        metrics.metric_name,

        min(events.date_key) as converted_date,
        min(events.occurred_at) as converted_at
    from users
    inner join tests on users.test_tenant_id = tests.tenant_id and users.test_id = tests.test_id
    inner join events
        on
            users.product = events.product
            and users.tenant_id = events.tenant_id
            and users.user_id = events.user_id
            and users.first_exposed_at < events.occurred_at
    inner join metrics
        on
            events.product = metrics.product
            and events.event_name = metrics.event_name
            and (nullif(metrics.event_detail, '') is null or events.event_detail = metrics.event_detail)
    where tests.ended_on is null or events.date_key <= tests.ended_on
    group by users.test_tenant_id, users.test_id, users.tenant_id, users.user_id, metrics.metric_name

)

select * from final
