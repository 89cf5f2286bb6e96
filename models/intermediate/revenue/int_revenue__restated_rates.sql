-- What a rate that became known after its day changed of the days that were over. The currency's own amounts change, or
-- those of all others where it is the reporting currency. A rate holds until the next one that was published.
with revisions as (

    select * from {{ ref('fx_rate_revisions') }}
    where known_on <= {{ as_of_date("'UTC'") }}

),

published as (

    select
        *,
        lag(eur_rate) over (partition by currency order by rate_date) as previous_eur_rate,
        lead(rate_date) over (partition by currency order by rate_date) as next_rate_date
    from {{ ref('fx_rates') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

balances as (

    select * from {{ ref('int_revenue__customer_balances') }}
    where {{ is_published_policy() }}

),

-- where nothing stood before it, the rate before it did
revised as (

    select
        revisions.currency,
        revisions.rate_date,
        revisions.known_on,
        published.next_rate_date,
        published.eur_rate,
        coalesce(revisions.eur_rate_before, published.previous_eur_rate) as before_eur_rate
    from revisions
    inner join published
        on revisions.currency = published.currency and revisions.rate_date = published.rate_date

),

-- of several revisions of one rate each left what the next one found
followed as (

    select
        *,
        coalesce(
            lead(before_eur_rate) over (partition by currency, rate_date order by known_on), eur_rate
        ) as after_eur_rate
    from revised

),

changed_rates as (

    select
        rates.currency,
        rates.rate_date,
        followed.known_on,
        case
            when followed.currency = '{{ var("reporting_currency") }}'
                then rates.rate * (followed.after_eur_rate - followed.before_eur_rate) / followed.eur_rate
            else
                rates.rate * followed.eur_rate / followed.after_eur_rate
                - rates.rate * followed.eur_rate / followed.before_eur_rate
        end as rate_change
    from followed
    inner join rates
        on
            (
                followed.currency = rates.currency
                or followed.currency = '{{ var("reporting_currency") }}'
            )
            and followed.rate_date <= rates.rate_date
            and (followed.next_rate_date > rates.rate_date or followed.next_rate_date is null)
            and followed.known_on > rates.rate_date
    where rates.currency <> '{{ var("reporting_currency") }}'

),

changes as (

    select
        policy,
        product,
        timezone,
        currency,
        date_key,
        sum(change_source_cents) as change_source_cents
    from balances
    group by policy, product, timezone, currency, date_key

),

final as (

    select
        changes.policy,
        changes.product,
        changed_rates.rate_date as metric_date,
        changed_rates.known_on,
        'rate' as cause,
        cast(
            sum(changes.change_source_cents * changed_rates.rate_change) as {{ type_money() }}
        ) as restated_mrr_cents
    from changed_rates
    inner join changes
        on changed_rates.currency = changes.currency and changed_rates.rate_date >= changes.date_key
    where
        changed_rates.rate_date
        < {{ local_date(day_start('changed_rates.known_on', "'UTC'"), 'changes.timezone') }}
    group by changes.policy, changes.product, changed_rates.rate_date, changed_rates.known_on
    having sum(changes.change_source_cents * changed_rates.rate_change) <> 0

)

select * from final
