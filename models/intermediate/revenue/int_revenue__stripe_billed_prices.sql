{{ config(
    materialized='incremental',
    meta={'affected': {
        'key': ['billed_key'],
        'notes': {'entity_key': 'billed_key'},
        'within': 'account',
        'whole': true,
    }},
) }}

-- What invoices billed for so many of a price for a whole period: what it costs where the price itself does not say.
with lines as (

    select * from {{ ref('int_revenue__stripe_invoice_lines') }}
    where not is_proration and amount_source_cents is not null and price_source_id is not null

),

final as (

    select
        {{ billed_price_key(stripe_key('account', 'price_source_id'), 'quantity', 'currency') }} as billed_key,
        account,
        price_source_id,
        quantity,
        currency,
        max(amount_source_cents) as amount_source_cents
    from lines
    where quantity is not null and currency is not null
    group by account, price_source_id, quantity, currency

)

select * from final
