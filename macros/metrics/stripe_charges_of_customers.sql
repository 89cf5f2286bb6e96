{#- Affected keys of int_revenue__stripe_charges: the charges of customers of whom events changed, each with every
    customer under whom it is told or was. A charge may be told without its customer, who comes with a later event or
    with the invoice that it pays; so what changes of a customer may move a charge that the table has as nobody's. -#}
{% macro stripe_charges_of_customers(changes) -%}
    with changed as (
        select distinct entity_key from ({{ changes }}) as changes
    ),

    told as (
        select
            {{ stripe_key('events.account', 'events.charge_source_id') }} as charge_key,
            events.entity_key as told_entity_key
        from {{ ref('stg_stripe__charge_events') }} as events
        where {{ is_one_of_few('events.entity_key', 'select changed.entity_key from changed') }}

        union

        select
            held.charge_key,
            held.told_entity_key
        from {{ this }} as held
        where held.told_entity_key in (select entity_key from changed)

        union

        select
            held.charge_key,
            held.told_entity_key
        from {{ this }} as held
        where held.entity_key in (select entity_key from changed)
        {%- for name in ['charge_key', 'invoice_key', 'payment_key'] %}

        union

        select
            held.charge_key,
            held.told_entity_key
        from {{ ref('int_revenue__stripe_invoice_events') }} as invoices
        inner join {{ this }} as held on invoices.{{ name }} = held.{{ name }}
        where invoices.entity_key in (select entity_key from changed)
        {%- endfor %}
    )

    select
        charge_key,
        told_entity_key,
        cast(null as date) as day
    from told

    union

    select
        held.charge_key,
        held.told_entity_key,
        cast(null as date) as day
    from {{ this }} as held
    where held.charge_key in (select charge_key from told)
{%- endmacro %}
