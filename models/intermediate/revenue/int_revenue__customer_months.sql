{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'by': 'customers_of_moved_months',
        'through': [
            'int_revenue__customer_balances',
            'int_revenue__mrr_movements',
            'int_revenue__running_months',
            'int_revenue__fx_daily',
        ],
        'fixed': ['dim_date'],
    }},
) }}
{%- set customer_key = "policy || '|' || provider || '|' || product || '|' || cast(tenant_id as " ~ type_string()
    ~ ") || '|' || cast(customer_id as " ~ type_string() ~ ')' %}

-- What a customer was worth when a month opened and when it closed (the running month: as it stands), for all rates of
-- retention. An amount is also valued at the rates with which the month opened, and at those of the customer's first
-- day, so that exchange rates retain and lose nobody.
-- Another month is told by {{ ref('int_revenue__running_months') }}.
with balances as (

    select * from {{ ref('int_revenue__customer_balances') }}
    where {{ is_affected('entity_key') }}

),

movements as (

    select * from {{ ref('int_revenue__mrr_movements') }}
    where movement_type = 'new' and {{ is_affected('entity_key') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

dates as (

    select distinct month_start from {{ ref('dim_date') }}

),

spans as (

    select
        min(date_key) as first_date,
        max({{ as_of_date('timezone') }}) as last_date
    from balances

),

months as (

    select
        dates.month_start,
        {{ add_months('dates.month_start', 1) }} as next_month_start
    from dates
    inner join spans
        on
            dates.month_start <= spans.last_date
            and {{ add_months('dates.month_start', 1) }} > spans.first_date

),

-- only the last balance of a month can be what it closed with
last_of_months as (

    select *
    from balances
    where
        after_source_cents > 0
        and (
            next_date_key is null
            or next_date_key > {{ as_of_date('timezone') }}
            or {{ month_start('next_date_key') }} > {{ month_start('date_key') }}
        )

),

-- the balance that stood when the month closed
closings as (

    select
        last_of_months.policy,
        last_of_months.provider,
        last_of_months.product,
        last_of_months.tenant_id,
        last_of_months.customer_id,
        last_of_months.entity_key,
        last_of_months.currency,
        months.month_start,
        months.next_month_start,
        {{ as_of_date('last_of_months.timezone') }} >= months.next_month_start as is_complete,
        last_of_months.after_source_cents
    from last_of_months
    inner join months
        on
            last_of_months.date_key < months.next_month_start
            and (
                last_of_months.next_date_key is null
                or last_of_months.next_date_key >= months.next_month_start
                or last_of_months.next_date_key > {{ as_of_date('last_of_months.timezone') }}
            )
            and {{ as_of_date('last_of_months.timezone') }} >= months.month_start
            and {{ as_of_date('last_of_months.timezone') }} >= last_of_months.date_key

),

-- what a month closes with, the next one opens with
held as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        currency,
        month_start,
        cast(0 as {{ type_money() }}) as opening_source_cents,
        after_source_cents as closing_source_cents
    from closings

    union all

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        currency,
        next_month_start as month_start,
        after_source_cents as opening_source_cents,
        cast(0 as {{ type_money() }}) as closing_source_cents
    from closings
    where is_complete

),

-- the join below is by one key: an engine that knows nothing of several columns together takes what it leaves for next
-- to nothing, and looks up a rate for each row by reading all of them
firsts as (

    select
        {{ customer_key }} as customer_key,
        date_key as first_date,
        mrr_after_cents as first_mrr_cents
    from movements

),

keyed as (

    select
        *,
        {{ customer_key }} as customer_key
    from held

),

valued as (

    select
        held.policy,
        held.provider,
        held.product,
        held.tenant_id,
        held.customer_id,
        held.entity_key,
        held.month_start,
        sum(held.opening_source_cents * {{ fx_rate('held.currency', 'opening_rates.rate') }}) as opening_mrr_cents,
        sum(held.closing_source_cents * {{ fx_rate('held.currency', 'opening_rates.rate') }})
            as closing_at_opening_rates_cents,
        sum(held.closing_source_cents * {{ fx_rate('held.currency', 'first_rates.rate') }})
            as closing_at_first_rates_cents,
        sum(held.opening_source_cents) > 0 as was_paying,
        sum(held.closing_source_cents) > 0 as is_paying,
        firsts.first_date,
        firsts.first_mrr_cents
    from keyed as held
    inner join firsts on held.customer_key = firsts.customer_key
    left join rates as opening_rates
        on
            held.currency = opening_rates.currency
            and {{ add_days('held.month_start', -1) }} = opening_rates.rate_date
    left join rates as first_rates
        on held.currency = first_rates.currency and firsts.first_date = first_rates.rate_date
    group by
        held.policy,
        held.provider,
        held.product,
        held.tenant_id,
        held.customer_id,
        held.entity_key,
        held.month_start,
        firsts.first_date,
        firsts.first_mrr_cents

),

final as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        entity_key,
        month_start,
        {{ month_start('first_date') }} as cohort_month,
        cast(opening_mrr_cents as {{ type_money() }}) as opening_mrr_cents,
        cast(closing_at_opening_rates_cents as {{ type_money() }}) as closing_at_opening_rates_cents,
        cast(first_mrr_cents as {{ type_money() }}) as first_mrr_cents,
        cast(closing_at_first_rates_cents as {{ type_money() }}) as closing_at_first_rates_cents,
        was_paying,
        is_paying
    from valued

)

select * from final
