-- What a day on which records came late changed of the days that were over when it began: what was known from it on
-- less what was known before it, added up over all groups of a product.
with mrr_changes as (

    select * from {{ ref('int_revenue__known_mrr_changes') }}

),

stripe_owners as (

    select * from {{ ref('int_revenue__known_stripe_owners') }}

),

revenuecat_owners as (

    select * from {{ ref('int_revenue__known_revenuecat_owners') }}

),

editions as (

    select * from {{ ref('int_revenue__editions') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

customers as (

    select distinct
        'stripe' as provider,
        account as known_account,
        {{ entity_uuid('product', 'customer', "account || '|' || customer_source_id", true) }} as customer_id
    from stripe_owners

    union all

    select distinct
        'revenuecat' as provider,
        project as known_account,
        {{ entity_uuid('product', 'customer', "project || '|' || payer_source_id", true) }} as customer_id
    from revenuecat_owners

),

signed as (

    select
        mrr_changes.policy,
        mrr_changes.product,
        mrr_changes.currency,
        editions.group_key,
        editions.known_on,
        editions.cause,
        editions.load_id,
        editions.direction * mrr_changes.change_source_cents as change_source_cents,
        {{ local_date('mrr_changes.occurred_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        -- the last day that was over for the tenant when the day began on which the records came
        {{ add_days(local_date(
            day_start('editions.known_on', "'UTC'"), "coalesce(tenants.timezone, 'UTC')"
        ), -1) }} as last_date
    from mrr_changes
    inner join customers
        on mrr_changes.provider = customers.provider and mrr_changes.customer_id = customers.customer_id
    inner join editions
        on customers.provider = editions.provider and customers.known_account = editions.known_account
    left join tenants on mrr_changes.tenant_id = tenants.tenant_id

),

-- of most changes both sides know
group_changes as (

    select
        policy,
        product,
        currency,
        group_key,
        known_on,
        cause,
        load_id,
        date_key,
        last_date,
        sum(change_source_cents) as change_source_cents
    from signed
    where date_key <= last_date
    group by policy, product, currency, group_key, known_on, cause, load_id, date_key, last_date
    having sum(change_source_cents) <> 0

),

changes as (

    select
        policy,
        product,
        currency,
        known_on,
        cause,
        date_key,
        last_date,
        sum(change_source_cents) as change_source_cents,
        max(load_id) as load_id
    from group_changes
    group by policy, product, currency, known_on, cause, date_key, last_date

),

series as (

    select
        policy,
        product,
        currency,
        known_on,
        cause,
        last_date,
        min(date_key) as first_date
    from changes
    group by policy, product, currency, known_on, cause, last_date

),

days as (

    {{ date_spine("(select min(first_date) from series)", "(select max(last_date) from series)") }}

),

running as (

    select
        series.policy,
        series.product,
        series.currency,
        series.known_on,
        series.cause,
        days.date_day as metric_date,
        sum(changes.change_source_cents) over same_series as restated_source_cents,
        max(changes.load_id) over same_series as load_id
    from series
    inner join days on days.date_day between series.first_date and series.last_date
    left join changes
        on
            series.policy = changes.policy
            and series.product = changes.product
            and series.currency = changes.currency
            and series.known_on = changes.known_on
            and series.cause = changes.cause
            and series.last_date = changes.last_date
            and days.date_day = changes.date_key
    window same_series as (
        partition by
            series.policy, series.product, series.currency, series.known_on, series.cause, series.last_date
        order by days.date_day
        rows between unbounded preceding and current row
    )

),

final as (

    select
        running.policy,
        running.product,
        running.metric_date,
        running.known_on,
        running.cause,
        sum(
            running.restated_source_cents * {{ fx_rate('running.currency', 'rates.rate') }}
        ) as restated_mrr_cents,
        max(running.load_id) as load_id
    from running
    left join rates on running.currency = rates.currency and running.metric_date = rates.rate_date
    where running.restated_source_cents <> 0
    group by running.policy, running.product, running.metric_date, running.known_on, running.cause
    having
        sum(
            running.restated_source_cents * {{ fx_rate('running.currency', 'rates.rate') }}
        ) <> 0

)

select * from final
