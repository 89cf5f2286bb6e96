{{ config(
    materialized='incremental',
    meta={'affected': {
        'key': ['price_key'],
        'notes': {'entity_key': 'price_key'},
        'within': 'account',
        'whole': true,
    }},
) }}

-- The tiers of prices, as far as a list of prices shows them: webhooks show a tiered price without.
with price_events as (

    select * from {{ ref('stg_stripe__price_events') }}
    where is_live and has_tiers

),

final as (

    select
        {{ stripe_key('account', 'price_source_id') }} as price_key,
        account,
        price_source_id,
        {{ latest_by('tiers_mode', 'created_at') }} as tiers_mode,
        {{ latest_by('tiers', 'created_at') }} as tiers
    from price_events
    group by account, price_source_id

)

select * from final
