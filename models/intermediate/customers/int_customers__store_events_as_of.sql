-- What RevenueCat had told by each Monday, without what said nothing more by then: of the events that name the same
-- ids the first counts, of those that say the same of a subscription the first and the last, of those that name a
-- tenant the first. A renewal every month is so one row a Monday, not one for each month until then. `project` is the
-- project on that Monday, so that the SQL which asks whose a purchase is tells apart what was known when.
{%- set subscription %}project, product, environment, subscription_source_id, user_source_id, event_type{% endset -%}
{%- set before %}order by occurred_at, event_id rows between unbounded preceding and 1 preceding{% endset -%}
{%- set after %}order by occurred_at desc, event_id desc rows between unbounded preceding and 1 preceding{% endset %}

with events as (

    select * from {{ ref('stg_revenuecat__events') }}

),

weeks as (

    select * from {{ ref('int_customers__weeks') }}

),

scopes as (

    select * from {{ ref('churn_activity_scopes') }}

),

told as (

    select
        *,
        -- the arrival of the first that took its place
        min(received_at) over (
            partition by project, user_source_id, original_user_source_id, aliases {{ before }}
        ) as named_before_at,
        min(received_at) over (
            partition by project, environment, user_source_id, tenant_source_id is null {{ before }}
        ) as attributed_before_at,
        min(received_at) over (partition by {{ subscription }} {{ before }}) as had_before_at,
        min(received_at) over (partition by {{ subscription }}, reason, price_usd < 0 {{ after }}) as told_after_at
    from events

),

final as (

    select
        weeks.as_of_at,
        told.project as account,
        told.product,
        cast(weeks.as_of_date as {{ type_string() }}) || '|' || told.project as project,
        told.event_id,
        told.event_type,
        told.environment,
        told.user_source_id,
        told.original_user_source_id,
        told.aliases,
        told.transferred_from,
        told.transferred_to,
        told.subscription_source_id,
        told.tenant_source_id,
        told.reason,
        told.price_usd,
        told.occurred_at
    from weeks
    inner join told on weeks.as_of_at >= told.received_at
    inner join scopes on told.product = scopes.product
    where
        told.event_type = 'TRANSFER'
        or coalesce(weeks.as_of_at < told.named_before_at, true)
        or (told.tenant_source_id is not null and coalesce(weeks.as_of_at < told.attributed_before_at, true))
        or (
            told.subscription_source_id is not null
            and (
                coalesce(weeks.as_of_at < told.had_before_at, true)
                or coalesce(weeks.as_of_at < told.told_after_at, true)
            )
        )

)

select * from final
