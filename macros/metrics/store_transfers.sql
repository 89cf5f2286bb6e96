{#- Who gave what was bought in an app store to whom: a row per transfer and giver, of RevenueCat's staged events. -#}
{% macro store_transfers(events) -%}
    select
        events.project,
        events.event_id,
        events.occurred_at,
        replace(cast(giver.value as {{ type_string() }}), '"', '') as giver_source_id,
        {{ json_text('events.transferred_to', [0]) }} as taker_source_id
    from {{ events }} as events
    {{ json_array_lateral('events.transferred_from', none, 'giver') }}
    where events.event_type = 'TRANSFER'
{%- endmacro %}

{#- The same between payers, by int_revenue__revenuecat_payers; an id of which nothing else is told pays itself. -#}
{% macro transfers_of_payers(transfers, payers) -%}
    select
        transfers.project,
        transfers.event_id,
        transfers.occurred_at,
        coalesce(givers.payer_source_id, transfers.giver_source_id) as giver_source_id,
        coalesce(takers.payer_source_id, transfers.taker_source_id) as taker_source_id
    from {{ transfers }} as transfers
    left join {{ payers }} as takers
        on transfers.project = takers.project and transfers.taker_source_id = takers.source_id
    left join {{ payers }} as givers
        on transfers.project = givers.project and transfers.giver_source_id = givers.source_id
{%- endmacro %}

{#- What they moved, which a transfer does not name: every subscription that the giving payer had until then, by its
    first event in `own_events`. -#}
{% macro moved_subscriptions(transfers, own_events) -%}
    select distinct
        had.project,
        had.product,
        had.subscription_source_id,
        transfers.event_id,
        transfers.occurred_at,
        transfers.taker_source_id as payer_source_id
    from {{ transfers }} as transfers
    inner join (
        select
            project,
            product,
            subscription_source_id,
            payer_source_id,
            min(occurred_at) as first_occurred_at
        from {{ own_events }}
        group by project, product, subscription_source_id, payer_source_id
    ) as had
        on
            transfers.project = had.project
            and transfers.giver_source_id = had.payer_source_id
            and transfers.occurred_at >= had.first_occurred_at
{%- endmacro %}
