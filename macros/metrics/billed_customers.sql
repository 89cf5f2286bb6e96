{#- Which customers something changes for that is no customer's own: `by` of the models that look it up. Each takes the
    query of changes, in which that thing is named by entity_key, too. -#}

{% macro customers_of_changed_tiers(changes) -%}
    {{ customers_who_have(changes, [(this, "held.price_key = changed.entity_key")]) }}
{%- endmacro %}

{#- Only an item whose price says nothing takes what others were billed. -#}
{% macro customers_of_billed_prices(changes) -%}
    {%- set billed_key = billed_price_key('held.price_key', 'held.quantity', 'held.currency') -%}
    {{ customers_who_have(changes, [
        (
            ref('int_revenue__stripe_items'),
            "held.unit_source_cents is null and " ~ billed_key ~ " = changed.entity_key",
        ),
    ]) }}
{%- endmacro %}

{% macro customers_of_coupons(changes) -%}
    {{ customers_who_have(
        changes, [(ref('int_revenue__stripe_discount_mentions'), "held.coupon_key = changed.entity_key")]
    ) }}
{%- endmacro %}

{% macro customers_of_changed_prices(changes) -%}
    {{ customers_who_have(
        changes, [(ref('int_revenue__stripe_invoice_lines'), "held.price_key = changed.entity_key")]
    ) }}
{%- endmacro %}

{#- Of a product that got the rates it lacked, or lacks one now, all. -#}
{% macro customers_of_rated_products(changes) -%}
    {{ customers_who_have(
        changes, [(ref('int_revenue__subscription_periods'), "held.product = changed.entity_key")]
    ) }}
{%- endmacro %}

{#- Of a tenant in another time zone all; of a rate those who changed on its day. -#}
{% macro customers_of_zones_and_rates(changes) -%}
    {{ customers_who_have(changes, [
        (ref('int_revenue__mrr_changes'), "held.tenant_id = changed.tenant_id"),
        (this, "held.currency = changed.entity_key and held.date_key = changed.utc_day"),
    ]) }}
{%- endmacro %}

{#- Where another month runs all; of a rate with which a month opens all in its currency, of another day's those who
    began on it. -#}
{% macro customers_of_moved_months(changes) -%}
    {%- set next_day = add_days('changed.utc_day', 1) -%}
    {{ customers_who_have(changes, [
        (ref('int_revenue__customer_balances'), "held.timezone = changed.entity_key"),
        (
            ref('int_revenue__customer_balances'),
            "held.currency = changed.entity_key and (held.date_key = changed.utc_day or "
            ~ month_start(next_day) ~ " = " ~ next_day ~ ")",
        ),
    ]) }}
{%- endmacro %}

{#- The same of a table by tenant and customer: who changed, of a tenant in another time zone all, of a rate those of
    whom a period began about its day. -#}
{% macro tenants_customers_of_zones_and_rates(changes) -%}
    {{ customers_who_have(changes, [
        (this, "held.tenant_id = changed.tenant_id and changed.customer_id is null"),
        (
            this,
            "held.currency = changed.entity_key and " ~ local_date('held.valid_from', "'UTC'")
            ~ " between " ~ add_days('changed.utc_day', -1) ~ " and " ~ add_days('changed.utc_day', 1),
        ),
    ], ['tenant_id', 'customer_id']) }}
{%- endmacro %}

{#- The customers who changed themselves, and those of tables for whose rows (`held`) something of the changes
    (`changed`) is; `key` are the columns that name them, a customer's last. What is not theirs has a day or names
    nobody, and finds no rows. -#}
{% macro customers_who_have(changes, tables, key=['entity_key']) -%}
    select
        changed.{{ key | join(', changed.') }},
        cast(null as date) as day
    from ({{ changes }}) as changed
    where changed.{{ key | last }} is not null
    {%- for table, condition in tables %}

    union

    select
        held.{{ key | join(', held.') }},
        cast(null as date) as day
    from {{ table }} as held
    inner join ({{ changes }}) as changed on {{ condition }}
    {%- endfor %}
{%- endmacro %}
