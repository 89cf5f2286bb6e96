{%- set timezone = "coalesce(tenants.timezone, 'UTC')" -%}

with payments as (

    select * from {{ ref('fact_payments') }}
    where status = 'succeeded' and amount_cents > 0

),

refunds as (

    select * from {{ ref('fact_refunds') }}
    where status = 'succeeded' and amount_cents is not null

),

invoices as (

    select * from {{ ref('fact_invoices') }}
    where kind = 'invoice' and status not in ('draft', 'void')

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

-- an order is what was billed at once, tax excluded as far as the source says it; what is paid without an invoice is
-- one too
amounts as (

    select
        product,
        tenant_id,
        currency,
        'cash' as measure,
        amount_cents,
        attempted_at as counted_at
    from payments

    union all

    select
        product,
        tenant_id,
        currency,
        'refund' as measure,
        amount_cents,
        refunded_at as counted_at
    from refunds

    union all

    select
        product,
        tenant_id,
        currency,
        'order' as measure,
        amount_due_cents - coalesce(tax_cents, 0) as amount_cents,
        issued_at as counted_at
    from invoices
    where amount_due_cents - coalesce(tax_cents, 0) > 0

    union all

    select
        product,
        tenant_id,
        currency,
        'order' as measure,
        amount_cents,
        attempted_at as counted_at
    from payments
    where invoice_id is null

),

dated as (

    select
        amounts.product,
        amounts.tenant_id,
        amounts.currency,
        amounts.measure,
        amounts.amount_cents,
        {{ local_date('amounts.counted_at', timezone) }} as metric_date,
        {{ as_of_date(timezone) }} as running_date
    from amounts
    left join tenants on amounts.tenant_id = tenants.tenant_id

),

-- a day's amounts of a currency have one rate
daily as (

    select
        metric_date,
        running_date,
        tenant_id,
        product,
        currency,
        measure,
        count(*) as amount_count,
        sum(amount_cents) as amount_cents
    from dated
    where metric_date <= running_date
    group by metric_date, running_date, tenant_id, product, currency, measure

),

rated as (

    select
        daily.*,
        {{ fx_rate('daily.currency', 'rates.rate') }} as rate
    from daily
    left join rates on daily.currency = rates.currency and daily.metric_date = rates.rate_date

),

-- amounts in a currency that has no rate make a sum unknown, never smaller
summed as (

    select
        metric_date,
        running_date,
        tenant_id,
        product,
        {%- for measure in ['cash', 'refund', 'order'] %}
        coalesce({{ sum_if("measure = '" ~ measure ~ "'", 'amount_count') }}, 0) as {{ measure }}_count,
        case
            when {{ count_if("measure = '" ~ measure ~ "' and rate is null") }} = 0
                then coalesce({{ sum_if("measure = '" ~ measure ~ "'", 'amount_cents * rate') }}, 0)
        end as {{ measure }}_cents,
        {%- endfor %}
        coalesce({{ sum_if('rate is null', 'amount_count') }}, 0) as unrated_count
    from rated
    group by metric_date, running_date, tenant_id, product

),

final as (

    select
        metric_date,
        tenant_id,

        product,
        '{{ var("reporting_currency") }}' as currency,

        cast(cash_count as bigint) as payments,
        {{ published_money('cash_cents') }} as cash_collected_cents,
        cast(refund_count as bigint) as refunds,
        {{ published_money('refund_cents') }} as refunds_cents,
        cast(order_count as bigint) as orders,
        {{ published_money('order_cents') }} as order_value_cents,
        cast(unrated_count as bigint) as amounts_without_rate,

        metric_date < running_date as is_complete
    from summed

)

select * from final
