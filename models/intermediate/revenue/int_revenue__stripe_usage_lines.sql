{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'by': 'customers_of_changed_prices',
        'through': [
            'int_revenue__stripe_invoices',
            'int_revenue__stripe_invoice_lines',
            'int_revenue__stripe_prices',
        ],
    }},
) }}

-- Metered usage as invoices bill it. Whether a price is metered says the line (until 2025-03-31), or the subscription
-- that has the price.
with invoices as (

    select * from {{ ref('int_revenue__stripe_invoices') }}
    where status not in ('draft', 'void') and {{ is_affected('entity_key') }}

),

lines as (

    select * from {{ ref('int_revenue__stripe_invoice_lines') }}
    where {{ is_affected('entity_key') }}

),

plan_labels as (

    select * from {{ ref('plan_labels') }}

),

prices as (

    select * from {{ ref('int_revenue__stripe_prices') }}

),

metered as (

    select
        lines.*,
        invoices.tenant_id,
        invoices.product,
        invoices.subscription_source_id,
        invoices.issued_at,
        prices.billing_interval,
        prices.interval_count,
        coalesce(plan_labels.plan_label, prices.plan, lines.price_source_id, 'unknown') as plan
    from lines
    inner join invoices on lines.account = invoices.account and lines.event_id = invoices.event_id
    left join prices on lines.price_key = prices.price_key
    left join plan_labels
        on
            invoices.product = plan_labels.product
            and coalesce(prices.plan, lines.price_source_id) = plan_labels.plan
    where coalesce(lines.usage_type = 'metered', prices.is_metered, false)

),

reductions as (

    select
        metered.account,
        metered.event_id,
        metered.line_position,
        {{ json_number('entry.value', ['amount']) }} as off_source_cents
    from metered
    {{ json_array_lateral('metered.discount_amounts', none, 'entry') }}

    union all

    select
        metered.account,
        metered.event_id,
        metered.line_position,
        {{ json_number('entry.value', ['amount']) }} as off_source_cents
    from metered
    {{ json_array_lateral('metered.tax_amounts', none, 'entry') }}
    where {{ json_boolean('entry.value', ['inclusive']) }}

    union all

    select
        metered.account,
        metered.event_id,
        metered.line_position,
        {{ json_number('entry.value', ['amount']) }} as off_source_cents
    from metered
    {{ json_array_lateral('metered.taxes', none, 'entry') }}
    where {{ json_text('entry.value', ['tax_behavior']) }} = 'inclusive'

),

reduced as (

    select
        account,
        event_id,
        line_position,
        sum(off_source_cents) as off_source_cents
    from reductions
    group by account, event_id, line_position

),

final as (

    select
        metered.account,
        metered.event_id,
        metered.line_position,
        metered.entity_key,
        metered.product,
        metered.tenant_id,
        metered.plan,
        metered.currency,
        metered.amount_source_cents - coalesce(reduced.off_source_cents, 0) as usage_source_cents,
        metered.subscription_source_id,
        metered.billing_interval,
        metered.interval_count,
        metered.period_started_at,
        metered.period_ends_at,
        metered.issued_at
    from metered
    left join reduced
        on
            metered.account = reduced.account
            and metered.event_id = reduced.event_id
            and metered.line_position = reduced.line_position

)

select * from final
