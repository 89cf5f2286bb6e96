{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'through': 'loads',
    }},
) }}

-- The lines of live invoices, read out of their events once for all who ask what was billed.
with lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}
    where is_live and {{ is_affected('entity_key') }}

),

final as (

    select
        account,
        event_id,
        line_position,
        entity_key,
        billed_subscription_source_id,
        price_source_id,
        {{ stripe_key('account', 'price_source_id') }} as price_key,
        usage_type,
        currency,
        amount_source_cents,
        quantity,
        is_proration,
        discount_amounts,
        tax_amounts,
        taxes,
        invoice_total_source_cents,
        invoice_tax_amounts,
        invoice_taxes,
        period_started_at,
        period_ends_at
    from lines

)

select * from final
