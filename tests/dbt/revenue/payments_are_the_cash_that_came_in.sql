with paid as (

    select
        product,
        provider,
        tenant_id,
        currency,
        sum(amount_cents) as amount_cents
    from {{ ref('fact_payments') }}
    where provider in ('stripe', 'revenuecat') and status = 'succeeded'
    group by product, provider, tenant_id, currency

),

came_in as (

    select
        product,
        provider,
        tenant_id,
        currency,
        sum(round(amount_source_cents)) as amount_cents
    from ({{ cash_movements() }}) as cash
    where cash_type not in ('refund', 'refund_reversal')
    group by product, provider, tenant_id, currency

)

select
    coalesce(paid.product, came_in.product) as product,
    coalesce(paid.provider, came_in.provider) as provider,
    coalesce(paid.tenant_id, came_in.tenant_id) as tenant_id,
    coalesce(paid.currency, came_in.currency) as currency,
    paid.amount_cents as paid_cents,
    came_in.amount_cents as came_in_cents
from paid
full outer join came_in
    on
        paid.product = came_in.product
        and paid.provider = came_in.provider
        and paid.tenant_id = came_in.tenant_id
        and paid.currency = came_in.currency
where coalesce(paid.amount_cents, 0) <> coalesce(came_in.amount_cents, 0)
