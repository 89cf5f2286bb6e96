-- What RevenueCat had told by each Monday. `project` is the project on that Monday, so that the SQL which asks
-- whose a purchase is tells apart what was known when.
with events as (

    select * from {{ ref('stg_revenuecat__events') }}

),

weeks as (

    select * from {{ ref('int_customers__weeks') }}

),

scopes as (

    select * from {{ ref('churn_activity_scopes') }}

),

final as (

    select
        weeks.as_of_at,
        events.project as account,
        events.product,
        cast(weeks.as_of_date as {{ type_string() }}) || '|' || events.project as project,
        events.event_id,
        events.event_type,
        events.environment,
        events.user_source_id,
        events.original_user_source_id,
        events.aliases,
        events.transferred_from,
        events.transferred_to,
        events.subscription_source_id,
        events.tenant_source_id,
        events.reason,
        events.price_usd,
        events.occurred_at
    from weeks
    inner join events on weeks.as_of_at >= events.received_at
    inner join scopes on events.product = scopes.product

)

select * from final
