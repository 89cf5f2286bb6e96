-- What an item costs does not depend on when it was learnt (int_revenue__known_stripe_items).
with amounts as (

    select
        *,
        'stripe|' || account || '|' || event_id as event_key
    from {{ ref('int_revenue__stripe_item_amounts') }}

),

records as (

    select * from {{ ref('int_revenue__known_records') }}
    where provider = 'stripe'

),

final as (

    select
        records.known_account as account,
        amounts.event_id,
        amounts.item_position,
        amounts.plan,
        amounts.currency,
        amounts.billing_interval,
        amounts.interval_count,
        amounts.quantity,
        amounts.is_metered,
        amounts.inclusive_tax_percent,
        amounts.amount_source_cents
    from records
    inner join amounts on records.event_key = amounts.event_key

)

select * from final
