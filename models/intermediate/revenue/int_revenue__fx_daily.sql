{{ config(
    materialized='incremental',
    indexes=[{'columns': ['rate_date', 'currency']}],
    meta={'affected': {
        'key': ['currency', 'rate_date'],
        'days': 'utc',
        'notes': {'entity_key': 'currency'},
        'within': 'currency',
        'whole': true,
    }},
) }}

-- What one minor unit of a currency is worth in minor units of the reporting currency, for every day: the
-- last published rate stands until the next, of a currency that is no longer published for 30 days. Both rates are
-- against the euro, whose own is 1.
with published as (

    select
        rate_date,
        currency,
        eur_rate
    from {{ ref('fx_rates') }}

    union all

    select distinct
        rate_date,
        'eur' as currency,
        cast(1 as {{ type_numeric() }}) as eur_rate
    from {{ ref('fx_rates') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

days as (

    {{ date_spine(
        "(select min(rate_date) from " ~ ref('fx_rates') ~ ")",
        "(select " ~ add_days(
            "greatest(max(rate_date), coalesce(" ~ as_of_date("'UTC'") ~ ", max(rate_date)))", 2
        ) ~ " from " ~ ref('fx_rates') ~ ")"
    ) }}

),

quoted as (

    select distinct currency from published

),

numbered as (

    select
        days.date_day as rate_date,
        quoted.currency,
        published.eur_rate,
        count(published.eur_rate) over (
            partition by quoted.currency
            order by days.date_day
        ) as publication_number
    from days
    cross join quoted
    left join published on days.date_day = published.rate_date and quoted.currency = published.currency

),

standing as (

    select
        rate_date,
        currency,
        max(eur_rate) over (partition by currency, publication_number) as eur_rate,
        min(rate_date) over (partition by currency, publication_number) as published_date
    from numbered
    where publication_number > 0

),

newest as (

    select max(rate_date) as rate_date from published

),

daily as (

    select
        standing.rate_date,
        standing.currency,
        standing.eur_rate
    from standing
    cross join newest
    where
        {{ days_between('standing.published_date', 'least(standing.rate_date, newest.rate_date)') }} <= 30

),

final as (

    select
        daily.currency,
        daily.rate_date,
        case
            when daily.currency = reporting.currency then 1
            else (reporting.eur_rate / daily.eur_rate)
        end * power(
            cast(10 as {{ type_numeric() }}),
            reporting_units.minor_unit_exponent - coalesce(units.minor_unit_exponent, 2)
        ) as rate
    from daily
    inner join daily as reporting
        on daily.rate_date = reporting.rate_date and reporting.currency = '{{ var("reporting_currency") }}'
    left join currencies as units on daily.currency = units.currency
    left join currencies as reporting_units on reporting.currency = reporting_units.currency

)

select * from final
