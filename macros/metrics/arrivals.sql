{#- A query of what records could change of days that were over when they came, from the CTE `told`: `starts_at` is a
    start that counts where the record is the first that was known of its subject (`told_of`), `ends_at` an end; both
    may lie before what happened. What came is known from when it came; within the grace, from when it happened. -#}
{% macro dated_arrivals() -%}
{%- set grace_seconds = 60 * var('restatement_grace_minutes') -%}
with known as (

    select
        *,
        case
            when {{ seconds_between('happened_at', 'received_at') }} > {{ grace_seconds }} then received_at
            else happened_at
        end as known_at
    from told

),

dated as (

    select
        *,
        {{ local_date('known_at', "'UTC'") }} as known_on,
        {{ day_start(local_date('known_at', "'UTC'"), "'UTC'") }} as known_day_at,
        min({{ local_date('known_at', "'UTC'") }}) over (partition by provider, account, told_of) as first_known_on
    from known

)

select
    provider,
    account,
    product,
    event_id,
    provider || '|' || account || '|' || event_id as event_key,
    provider || '|' || account || '|' || group_source_id as group_key,
    group_source_id,
    entity_key,
    load_id,
    known_on,
    happened_at,
    known_at,
    case
        when happened_at < known_at and happened_at < known_day_at then 'late_event'
        when
            known_on = first_known_on
            and starts_at < known_day_at
            and {{ seconds_between('starts_at', 'known_at') }} > {{ grace_seconds }}
            then start_cause
        when ends_at < known_day_at and {{ seconds_between('ends_at', 'known_at') }} > {{ grace_seconds }}
            then 'correction'
    end as cause
from dated
where group_source_id is not null
{%- endmacro %}
