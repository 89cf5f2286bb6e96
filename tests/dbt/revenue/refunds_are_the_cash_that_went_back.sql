with refunded as (

    select
        product,
        provider,
        tenant_id,
        currency,
        sum(amount_cents) as amount_cents
    from {{ ref('fact_refunds') }}
    where provider in ('stripe', 'revenuecat')
    group by product, provider, tenant_id, currency

),

went_back as (

    select
        product,
        provider,
        tenant_id,
        currency,
        sum(-round(amount_source_cents)) as amount_cents
    from ({{ cash_movements() }}) as cash
    where cash_type = 'refund'
    group by product, provider, tenant_id, currency

)

select
    coalesce(refunded.product, went_back.product) as product,
    coalesce(refunded.provider, went_back.provider) as provider,
    coalesce(refunded.tenant_id, went_back.tenant_id) as tenant_id,
    coalesce(refunded.currency, went_back.currency) as currency,
    refunded.amount_cents as refunded_cents,
    went_back.amount_cents as went_back_cents
from refunded
full outer join went_back
    on
        refunded.product = went_back.product
        and refunded.provider = went_back.provider
        and refunded.tenant_id = went_back.tenant_id
        and refunded.currency = went_back.currency
where coalesce(refunded.amount_cents, 0) <> coalesce(went_back.amount_cents, 0)
