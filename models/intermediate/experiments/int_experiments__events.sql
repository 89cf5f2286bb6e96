{{ config(
    materialized='incremental',
    indexes=[{'columns': ['date_key', 'tenant_id']}],
    meta={'affected': {'key': ['tenant_id', 'date_key'], 'days': 'local', 'closed_with': 'facts'}},
) }}

with

facts as (

    select * from {{ ref('fact_events') }} as events
    where {{ is_affected('tenant_id', 'date_key') }} and {{ is_open_day('events') }}

),

metric_events as (

    select distinct
        product,
        event_name
    from {{ ref('experiment_metrics') }}

),

open_days as (

    select
        facts.product,
        facts.tenant_id,
        facts.event_id,
        facts.user_id,

        facts.event_name,
        {{ event_detail('facts.event_name', 'facts.properties') }} as event_detail,
        case
            when facts.event_name = 'experiment_exposed'
                then trim(coalesce(
                    nullif(trim({{ json_text('facts.properties', 'test_name') }}), ''),
                    {{ json_text('facts.properties', 'experiment') }}
                ))
        end as test_name,
        case
            when facts.event_name = 'experiment_exposed'
                then nullif(upper(trim({{ json_text('facts.properties', 'variant') }})), '')
        end as variant,

        facts.date_key,
        facts.occurred_at
    from facts
    left join metric_events
        on facts.product = metric_events.product and facts.event_name = metric_events.event_name
    where facts.event_name = 'experiment_exposed' or metric_events.event_name is not null

),

final as (

    {{ open_and_closed_days([
        'product', 'tenant_id', 'event_id', 'user_id', 'event_name', 'event_detail', 'test_name',
        'variant', 'date_key', 'occurred_at',
    ]) }}

)

select * from final
