-- days after a month's last one on which the fate of its quotes counts as known (rule 116)
{%- set settled_after_days = 60 %}

with leads as (

    select * from {{ ref('int_projects__leads') }}

),

quotes as (

    select * from {{ ref('stg_projectflo__quotes') }}

),

versions as (

    select * from {{ ref('stg_projectflo__quote_versions') }}

),

stages as (

    select * from {{ ref('quote_stages') }}
    where is_open

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

dates as (

    select distinct month_start from {{ ref('dim_date') }}

),

asked as (

    select
        tenant_id,
        {{ month_start('created_on') }} as month_start,
        count(*) as leads,
        {{ count_if('has_become_client') }} as converted_leads
    from leads
    group by tenant_id, {{ month_start('created_on') }}

),

sent as (

    select
        quotes.tenant_id,
        {{ month_start(local_date('quotes.sent_at', 'tenants.timezone')) }} as month_start,
        count(*) as quotes_sent,
        count(quotes.accepted_at) as quotes_accepted
    from quotes
    inner join tenants on quotes.tenant_id = tenants.tenant_id
    where quotes.sent_at is not null
    group by quotes.tenant_id, {{ month_start(local_date('quotes.sent_at', 'tenants.timezone')) }}

),

began as (

    select
        tenant_id,
        month_start
    from asked

    union all

    select
        tenant_id,
        month_start
    from sent

    union all

    select
        versions.tenant_id,
        {{ month_start(local_date('versions.committed_at', 'tenants.timezone')) }} as month_start
    from versions
    inner join tenants on versions.tenant_id = tenants.tenant_id

),

months as (

    select
        tenants.tenant_id,
        tenants.currency,
        tenants.running_date,
        dates.month_start,
        {{ month_start(add_days('dates.month_start', 31)) }} as next_month_start,
        least(
            {{ day_start(month_start(add_days('dates.month_start', 31)), 'tenants.timezone') }}, tenants.as_of_at
        ) as ends_at,
        least({{ add_days(month_start(add_days('dates.month_start', 31)), -1) }}, tenants.running_date) as last_on
    from tenants
    inner join (
        select
            tenant_id,
            min(month_start) as first_month
        from began
        group by tenant_id
    ) as firsts on tenants.tenant_id = firsts.tenant_id
    inner join dates
        on
            firsts.first_month <= dates.month_start
            and tenants.running_date >= dates.month_start

),

-- what stood at the month's end, by history: a version that began before it and was not replaced by then
standing as (

    select
        months.tenant_id,
        months.month_start,
        versions.quoted_amount * power(
            cast(10 as {{ type_numeric() }}), coalesce(currencies.minor_unit_exponent, 2)
        ) * stages.probability
        * {{ fx_rate('coalesce(versions.currency, months.currency)', 'rates.rate') }} as value_cents
    from months
    inner join versions
        on
            months.tenant_id = versions.tenant_id
            and months.ends_at > versions.committed_at
            and (versions.replaced_at is null or months.ends_at <= versions.replaced_at)
    inner join stages on lower(trim(versions.stage)) = stages.stage
    left join currencies on coalesce(versions.currency, months.currency) = currencies.currency
    left join rates
        on
            coalesce(versions.currency, months.currency) = rates.currency
            and months.last_on = rates.rate_date

),

pipeline as (

    select
        tenant_id,
        month_start,
        sum(value_cents) as pipeline_value_cents
    from standing
    group by tenant_id, month_start

),

final as (

    select
        months.tenant_id,

        months.month_start,

        coalesce(asked.leads, 0) as leads,
        case
            when months.next_month_start <= months.running_date
                then {{ rate('asked.converted_leads', 'asked.leads') }}
        end as lead_conversion_rate,
        coalesce(sent.quotes_sent, 0) as quotes_sent,
        coalesce(sent.quotes_accepted, 0) as quotes_accepted,
        case
            when {{ add_days('months.next_month_start', settled_after_days - 1) }} <= months.running_date
                then {{ rate('sent.quotes_accepted', 'sent.quotes_sent') }}
        end as quote_to_booking_rate,
        cast(round(coalesce(pipeline.pipeline_value_cents, 0)) as bigint) as pipeline_value_cents,

        months.next_month_start <= months.running_date as is_complete
    from months
    left join asked on months.tenant_id = asked.tenant_id and months.month_start = asked.month_start
    left join sent on months.tenant_id = sent.tenant_id and months.month_start = sent.month_start
    left join pipeline on months.tenant_id = pipeline.tenant_id and months.month_start = pipeline.month_start

)

select * from final
