{#- Beside the prices it reads the last of revenue's marts, so that all of them are built before it fails. -#}
-- depends_on: {{ ref('metrics_mrr_policy_bridge') }}
{%- set unread %}
    select
        amounts.account,
        coalesce(items.price_source_id, 'of no name') as price_source_id,
        amounts.currency,
        amounts.quantity,
        count(distinct versions.subscription_source_id) as subscriptions
    from {{ ref('int_revenue__stripe_item_amounts') }} as amounts
    inner join {{ ref('int_revenue__stripe_items') }} as items
        on
            amounts.account = items.account
            and amounts.event_id = items.event_id
            and amounts.item_position = items.item_position
    inner join {{ ref('int_revenue__stripe_versions') }} as versions
        on amounts.account = versions.account and amounts.event_id = versions.event_id
    where
        amounts.amount_source_cents is null
        and not amounts.is_metered
        and versions.version_number is not null
        and versions.status in ('active', 'past_due')
    group by amounts.account, items.price_source_id, amounts.currency, amounts.quantity
{%- endset %}

{%- if execute and flags.WHICH in ('build', 'test') %}
    {%- set sentences = [] %}
    {%- for row in run_query(unread ~ " order by 1, 2, 3, 4") %}
        {%- do sentences.append(
            "the price " ~ row['price_source_id'] ~ " of " ~ row['account'] ~ " for " ~ row['quantity'] ~ " in "
            ~ row['currency'] ~ " (subscriptions with it: " ~ row['subscriptions'] ~ ")"
        ) %}
    {%- endfor %}
    {%- if sentences %}
        {{ exceptions.raise_compiler_error(
            "Nobody says what these cost, and they count nothing: " ~ sentences | join("; ")
            ~ ". Land an invoice that bills it, or Stripe's list of prices with their tiers and currencies"
            ~ " (GET /v1/prices?expand[]=data.tiers&expand[]=data.currency_options) as"
            ~ " stripe/ACCOUNT/prices.json, and run again."
        ) }}
    {%- endif %}
{%- endif %}

{{ unread }}
