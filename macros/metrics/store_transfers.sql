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
